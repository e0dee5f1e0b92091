#!/usr/bin/env bash
# The ledger: durable records a second, and acknowledged records lost over 500 kills. usage: scripts/bench ledger
# HENG_BENCH_FOLDER: where to write (a real disk; default: the temporary folder).
set -euo pipefail
folder=$(mktemp -d "${HENG_BENCH_FOLDER:-${TMPDIR:-/tmp}}/heng-ledger-bench-XXXXXX")
trap 'rm -rf "$folder"' EXIT
echo "file system: $(df -T "$folder" | awk 'NR==2 {print $2}')"
"$HENG_BIN/ledger_bench" rate "$folder/rate" "${HENG_BENCH_SECONDS:-3}"
"$HENG_BIN/heng-audit-check" "$folder/rate/ledger" --quiet
"$HENG_BIN/ledger_bench" kills "$folder/kills" "${HENG_BENCH_KILLS:-500}"
"$HENG_BIN/heng-audit-check" "$folder/kills/ledger" --quiet
