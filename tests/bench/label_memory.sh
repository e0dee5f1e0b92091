#!/usr/bin/env bash
# Memory of a long `heng label` run on the linear stage: lines are made while it runs, its resident memory is sampled, and the highest of
# each tenth of the run is printed; flat means the last tenth is not above the second. usage: scripts/bench label_memory [LINES]
# (default 10,000,000; about a gigabyte of output in the temporary folder)
set -euo pipefail
exec "$HENG_PYTHON" "$(dirname "${BASH_SOURCE[0]}")/label_memory/measure.py" --program "$HENG_BIN/heng" "$@"
