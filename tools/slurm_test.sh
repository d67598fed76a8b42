#!/usr/bin/env bash
# usage: tools/slurm_test.sh PARTITION JOB_NAME RECIPE CHECKPOINT [test.py options]
# Environment, as in MMAction2: GPUS (8), GPUS_PER_NODE (8), CPUS_PER_TASK (5), SRUN_ARGS.
# PORT (else MASTER_PORT, 29500) is where processes meet: jobs that share a machine need several.
set -euo pipefail
if [ $# -lt 4 ]; then
  echo "usage: $0 PARTITION JOB_NAME RECIPE CHECKPOINT [test.py options]" >&2
  exit 2
fi
if [ ! -f "$(dirname "$0")/test.py" ]; then
  echo "$0: no test.py beside this script. sbatch runs a copy of what it is given: hand it a file" \
    "of yours that calls tools/slurm_test.sh, as docs/guides/multi_node.md does" >&2
  exit 2
fi
GPUS=${GPUS:-8}
GPUS_PER_NODE=${GPUS_PER_NODE:-$((GPUS < 8 ? GPUS : 8))}
export MASTER_PORT="${PORT:-${MASTER_PORT:-29500}}" # MMEngine reads it of each process
export PYTHONPATH="$(dirname "$0")/..:${PYTHONPATH:-}"
# shellcheck disable=SC2086  # SRUN_ARGS is a list of words
exec srun -p "$1" --job-name="$2" --gres=gpu:"$GPUS_PER_NODE" --ntasks="$GPUS" \
  --ntasks-per-node="$GPUS_PER_NODE" --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 \
  ${SRUN_ARGS:-} "${PYTHON:-python}" -u "$(dirname "$0")/test.py" "$3" "$4" --launcher slurm "${@:5}"
