#!/usr/bin/env bash
# Retrieval quality on public sets, search latency over 100,000 chunks, vector recall, ingestion of a 300-page filing.
# usage: scripts/bench retrieval [rulebooks|laws|filings|speed|vectors|ingest|all]. The first run embeds the sets (about 40
# minutes on two cores); they are kept in $HENG_CACHE/bench.
set -euo pipefail
[ -n "$HENG_DATA" ] || { echo "retrieval: HENG_DATA is not set and ../shared/data is not there: nothing to measure on"; exit 0; }
work=$HENG_CACHE/bench/retrieval
mkdir -p "$work"
exec "$HENG_BIN/heng-retrieval-bench" "${@:-all}" --work "$work" --parser "$HENG_BIN/heng-parse"
