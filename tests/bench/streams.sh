#!/usr/bin/env bash
# From a message in to its alert out (server-sent events) over HTTP, on the linear and the encoder stage, and messages a second of
# heng watch. usage: scripts/bench streams [--messages N] [--rows N]
set -euo pipefail
exec "$HENG_PYTHON" "$(dirname "${BASH_SOURCE[0]}")/streams/latency.py" --program "$HENG_BIN/heng" "$@"
