#!/usr/bin/env bash
# Trains the detector anew into models/. usage: run.sh DATA. Needs heng-injection-train in $HENG_BIN.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
data=$1
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 "$here/harmless.py" "$data" "$work"
"$HENG_BIN/heng-injection-train" "$here" "$here/../models/injection.lin" --bipia "$data/safety/bipia/text_attack_train.json" --harmless "$work/en.txt" --harmless "$work/zh.txt"
