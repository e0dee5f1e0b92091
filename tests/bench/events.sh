#!/usr/bin/env bash
# The event extractor on FewFC: trains on nine tenths of both training files, measures on the tenth that a hash of the text
# picks (which training never sees), then reads that tenth ten times over for speed. usage: scripts/bench events
# HENG_BENCH_THREADS: cores to use (default: all).  Needs HENG_DATA (see scripts/environment.sh).
set -euo pipefail
rows=${HENG_DATA:+$HENG_DATA/text_zh}
if [ ! -f "${rows:-}/events_train_base.jsonl" ]; then
  echo "skipped: no events_train_base.jsonl under HENG_DATA/text_zh"
  exit 0
fi
threads=${HENG_BENCH_THREADS:-$(nproc)}
folder=$(mktemp -d "${TMPDIR:-/tmp}/heng-events-bench-XXXXXX")
trap 'rm -rf "$folder"' EXIT
"$HENG_PYTHON" - "$rows" "$folder" <<'PY'
import hashlib, json, pathlib, sys
rows, folder = map(pathlib.Path, sys.argv[1:])
parts = {"base": [], "trans": [], "train": []}
for name in ("base", "trans"):
    for line in (rows / f"events_train_{name}.jsonl").read_text(encoding="utf-8").splitlines():
        tenth = hashlib.sha256(json.loads(line)["content"].encode()).digest()[0] % 10
        parts[name if tenth == 9 else "train"].append(line)
for name, lines in parts.items():
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
holdout = parts["base"] + parts["trans"]
(folder / "holdout.jsonl").write_text("\n".join(holdout) + "\n", encoding="utf-8")
(folder / "speed.jsonl").write_text("\n".join(holdout * 10) + "\n", encoding="utf-8")
print(f"{len(parts['train'])} rows to train and tune on, {len(parts['base'])} + {len(parts['trans'])} held out (base + transfer)")
PY
"$HENG_BIN/heng" init "$folder/bank" > /dev/null
train=("$HENG_BIN/heng" train --kind events --task events --in "$folder/train.jsonl" --holdout "$folder/holdout.jsonl" --threads "$threads" --dir "$folder/bank")
echo "${train[*]/$folder/…}"
"${train[@]}"
for part in base trans; do
  "$HENG_BIN/heng" extract --task events --in "$folder/$part.jsonl" --out "$folder/$part.out" --threads "$threads" --dir "$folder/bank" 2> /dev/null
done
"$HENG_PYTHON" - "$folder" <<'PY'
import json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
def keys(events):
    return {(e["type"], m["role"], *m["span"]) for e in events for m in e["mentions"]}
def types(events):
    return {e["type"] for e in events}
def f1(pairs):
    right = sum(len(a & b) for a, b in pairs)
    return 2 * right / max(1, sum(len(a) + len(b) for a, b in pairs))
both = []
for part in ("base", "trans"):
    gold = [json.loads(line)["events"] for line in (folder / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()]
    found = [json.loads(line)["events"] for line in (folder / f"{part}.out").read_text(encoding="utf-8").splitlines()]
    pairs = list(zip(gold, found, strict=True))
    both += pairs
    print(f"{part:6} {len(pairs):4} sentences: type F1 {f1([(types(a), types(b)) for a, b in pairs]):.4f}, role F1 {f1([(keys(a), keys(b)) for a, b in pairs]):.4f}")
print(f"both   {len(both):4} sentences: type F1 {f1([(types(a), types(b)) for a, b in both]):.4f}, role F1 {f1([(keys(a), keys(b)) for a, b in both]):.4f} (counted outside the program)")
PY
for round in 1 2 3; do
  "$HENG_BIN/heng" extract --task events --in "$folder/speed.jsonl" --out "$folder/speed.out" --again --threads "$threads" --dir "$folder/bank" --json 2> /dev/null
done
"$HENG_BIN/heng" extract --task entities --in "$folder/speed.jsonl" --out "$folder/speed.out" --again --dir "$folder/bank" --json 2> /dev/null
