#!/usr/bin/env bash
# usage: tools/dist_train.sh RECIPE PROCESSES [train.py options]
# A process is a GPU, or on a machine without one a CPU process. Environment: NNODES, NODE_RANK,
# MASTER_ADDR, PORT as in MMAction2 (else MASTER_PORT, 29500); PYTHON to choose the interpreter.
set -euo pipefail
if [ $# -lt 2 ]; then
  echo "usage: $0 RECIPE PROCESSES [train.py options]" >&2
  exit 2
fi
RECIPE=$1 PROCESSES=$2
export PYTHONPATH="$(dirname "$0")/..:${PYTHONPATH:-}"
exec "${PYTHON:-python}" -m torch.distributed.run \
  --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" --nproc_per_node="$PROCESSES" \
  --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-${MASTER_PORT:-29500}}" \
  "$(dirname "$0")/train.py" "$RECIPE" --launcher pytorch "${@:3}"
