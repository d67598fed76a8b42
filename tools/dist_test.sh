#!/usr/bin/env bash
# usage: tools/dist_test.sh RECIPE CHECKPOINT PROCESSES [test.py options]
# A process is a GPU, or on a machine without one a CPU process. Environment: NNODES, NODE_RANK,
# MASTER_ADDR, PORT as in MMAction2 (else MASTER_PORT, 29500); PYTHON to choose the interpreter.
set -euo pipefail
if [ $# -lt 3 ]; then
  echo "usage: $0 RECIPE CHECKPOINT PROCESSES [test.py options]" >&2
  exit 2
fi
RECIPE=$1 CHECKPOINT=$2 PROCESSES=$3
export PYTHONPATH="$(dirname "$0")/..:${PYTHONPATH:-}"
exec "${PYTHON:-python}" -m torch.distributed.run \
  --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$PROCESSES" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-${MASTER_PORT:-29500}}" \
  "$(dirname "$0")/test.py" "$RECIPE" "$CHECKPOINT" --launcher pytorch "${@:4}"
