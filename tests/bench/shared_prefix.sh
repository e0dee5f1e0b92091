#!/usr/bin/env bash
# Sixteen clients with one long system prompt against llama-server. usage: scripts/bench shared_prefix
set -euo pipefail
folder=$(dirname "${BASH_SOURCE[0]}")/infer
exec "$HENG_PYTHON" "$folder/shared_prefix.py" --engine "$HENG_BIN/infer_engine_bench" "$@"
