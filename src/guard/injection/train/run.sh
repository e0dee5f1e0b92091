#!/usr/bin/env bash
# Trains the detector anew into models/. usage: run.sh DATA. Needs heng-injection-train in $HENG_BIN.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=$1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 "$here/harmless.py" "$data" "$work"
for language in en zh; do head -2000 "$work/$language.txt" > "$work/part_$language.txt"; done
"$HENG_BIN/heng-injection-train" "$here" "$here/../models/injection.lin" --bipia "$data/safety/bipia/text_attack_train.json" \
  --harmless "$work/part_en.txt" --harmless "$work/part_zh.txt" --held-out "$work/held.jsonl"
# the second stage needs vectors: a running Heng at $HENG_URL with $HENG_KEY
"${HENG_PYTHON:-python3}" "$here/encoder.py" "$work/held.jsonl" "$here/../models/injection.lin" "${HENG_URL:-http://127.0.0.1:8460/v1}" "$HENG_KEY" "$work/part_en.txt" "$work/part_zh.txt"
