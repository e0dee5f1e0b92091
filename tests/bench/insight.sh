#!/usr/bin/env bash
# Reading texts: accuracy on held-out fifths of public development data, training time, labelling speed, flat memory.
# usage: scripts/bench insight   HENG_LINEAR_ONLY=1: the linear stage only. Accuracy is cross-validated: each row is judged by heads that
# did not see it (stratified folds, seed 1). Needs $HENG_DATA; skips, saying so, where it is absent.
set -euo pipefail
[ -n "${HENG_DATA:-}" ] || { echo "insight: skipped, HENG_DATA is not set"; exit 0; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/heng-insight-bench-XXXXXX")
trap 'rm -rf "$folder"' EXIT
"$HENG_BIN/heng" init "$folder/bank" --json > "$folder/init.json"
HENG_BIN=$HENG_BIN "$HENG_ROOT/scripts/tasks" "$folder/bank" ${HENG_BENCH_TASKS:-}
speed() {  # NAME ROWS_FILE COPIES: linear stage, one thread
  for ((i = 0; i < $3; ++i)); do cat "$2"; done > "$folder/in.jsonl"
  "$HENG_BIN/heng" label --task "$1" --tier linear --threads 1 --in "$folder/in.jsonl" --out "$folder/out.jsonl" --dir "$folder/bank" --json 2> "$folder/speed" &
  local pid=$! memory=0 now
  while kill -0 "$pid" 2> /dev/null; do
    now=$(awk '/VmHWM/ {print $2}' "/proc/$pid/status" 2> /dev/null || true)
    memory=${now:-$memory}
    sleep 0.05
  done
  wait "$pid"
  echo "$1, linear, one thread, file to file, $(wc -c < "$folder/in.jsonl") bytes, $memory KB of memory at most: $(tail -n 1 "$folder/speed")"
}
speed sentiment-zh "$HENG_DATA/text_zh/forum_sentiment_train.jsonl" 20
speed tweets "$HENG_DATA/text/twitter_finance_train.jsonl" 20
"$HENG_BIN/insight_bench" --benchmark_min_time=1
