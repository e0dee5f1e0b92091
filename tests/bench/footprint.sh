#!/usr/bin/env bash
# Idle memory, start to ready, idle connections. usage: scripts/bench footprint
set -euo pipefail
exec "$HENG_PYTHON" "$(dirname "${BASH_SOURCE[0]}")/service/footprint.py" "$@"
