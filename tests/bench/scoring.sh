#!/usr/bin/env bash
# Labels by scoring behind a shared prefix against llama-server. usage: scripts/bench scoring
set -euo pipefail
folder=$(dirname "${BASH_SOURCE[0]}")/infer
exec "$HENG_PYTHON" "$folder/scoring.py" --engine "$HENG_BIN/infer_engine_bench" "$@"
