#!/usr/bin/env python3
"""Harmless lines for training: the bank service documents (MIT) and public laws. usage: harmless.py DATA OUTDIR"""
import json
import pathlib
import random
import sys

data, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
rng = random.Random(1)
english = []
for file in sorted((data / "service/documents").glob("*.json")):
    for line in json.loads(file.read_text(encoding="utf-8"))["content"].split("\n"):
        line = line.strip("-*# 0123456789.").strip()
        if 30 < len(line) < 300:
            english.append(line)
chinese = []
for file in sorted((data / "documents/laws_zh").rglob("*.md")):
    for line in file.read_text(encoding="utf-8").split("\n"):
        line = line.strip()
        if 15 < len(line) < 150 and not line.startswith("#"):
            chinese.append(line)
for name, lines in (("en", english), ("zh", chinese)):
    rng.shuffle(lines)
    (out / f"{name}.txt").write_text("\n".join(lines[:5000]) + "\n", encoding="utf-8")
