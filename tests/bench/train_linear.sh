#!/usr/bin/env bash
# Training time of the linear stage on 10,000 short texts, with its folds and calibration, file to task; three runs, the median counts.
# usage: scripts/bench train_linear   Needs $HENG_DATA (forum posts); skips, saying so, where it is absent.
set -euo pipefail
[ -n "${HENG_DATA:-}" ] || { echo "train_linear: skipped, HENG_DATA is not set"; exit 0; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/heng-train-bench-XXXXXX")
trap 'rm -rf "$folder"' EXIT
"$HENG_BIN/heng" init "$folder/bank" --json > "$folder/init.json"
awk 'NR <= 10000' "$HENG_DATA/text_zh/forum_sentiment_train.jsonl" > "$folder/rows.jsonl"
rows=$(wc -l < "$folder/rows.jsonl")
for run in 1 2 3; do
  begin=$(date +%s.%N)
  "$HENG_BIN/heng" train --task tone --in "$folder/rows.jsonl" --linear-only --dir "$folder/bank" --json > "$folder/report.json"
  end=$(date +%s.%N)
  echo "run $run: $rows rows, $(awk "BEGIN {printf \"%.2f\", $end - $begin}") s from start to written task"
done
