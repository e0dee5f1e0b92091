#!/usr/bin/env bash
# Prompt and generation speed of one request against llama-bench. usage: scripts/bench single_stream
set -euo pipefail
folder=$(dirname "${BASH_SOURCE[0]}")/infer
exec "$HENG_PYTHON" "$folder/single_stream.py" --engine "$HENG_BIN/infer_engine_bench" "$@"
