#!/usr/bin/env python3
"""Pipes made-up lines into `heng label` and samples its resident memory from /proc. The task is trained here on made-up rows: what is
measured is memory and speed, not the labels' worth."""
import argparse
import json
import os
import pathlib
import subprocess
import tempfile
import threading
import time

BAD, GOOD = ["亏损扩大", "被立案调查", "业绩预减", "股价大跌", "债务违约"], ["净利润增长", "中标大单", "业绩预增", "股价创新高", "获批新药"]
PLACES = ["渠道", "车间", "门店", "子公司", "研究院", "warehouse", "branch"]


def lines(count):
    """Every text is another: the number stands in it in letters, too."""
    words = BAD + GOOD
    for begin in range(0, count, 20000):
        yield "".join(f'{{"id":{i},"text":"公司{i % 9973}{words[i * 7 % 10]}，{i:x}号消息称{PLACES[i % 7]}情况有变，{words[i * 3 % 10]}"}}\n' for i in range(begin, min(count, begin + 20000))).encode()


def resident_kb(pid):
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lines", nargs="?", type=int, default=10_000_000)
    parser.add_argument("--program", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        run = lambda *arguments: subprocess.run([options.program, *map(str, arguments)], check=True, capture_output=True, env={**os.environ, "HENG_LANG": "en"})
        run("init", folder / "bank")
        with (folder / "rows.jsonl").open("w") as out:
            for i in range(5000):
                out.write(json.dumps({"text": f"公司{i % 89}{(BAD, GOOD)[i % 2][i % 5]}，{i * 7919:x}", "label": ("negative", "positive")[i % 2]}, ensure_ascii=False) + "\n")
        run("train", "--task", "tone", "--in", folder / "rows.jsonl", "--linear-only", "--dir", folder / "bank")
        process = subprocess.Popen([options.program, "label", "--task", "tone", "--in", "-", "--out", folder / "out.jsonl", "--dir", folder / "bank", "--json"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        samples, sent = [], [0]

        def feed():
            for block in lines(options.lines):
                process.stdin.write(block)
                sent[0] += block.count(b"\n")
            process.stdin.close()

        feeder = threading.Thread(target=feed)
        feeder.start()
        while process.poll() is None:
            samples.append((sent[0], resident_kb(process.pid)))
            time.sleep(0.1)
        feeder.join()
        report = json.loads(process.stderr.read().decode().strip().splitlines()[-1])
        assert process.returncode == 0 and report["lines"] == options.lines and report["errors"] == 0, report
        tenths = [max((kb for at, kb in samples if options.lines * t / 10 < at <= options.lines * (t + 1) / 10), default=0) for t in range(10)]
        print(json.dumps({"lines": options.lines, "seconds": round(report["seconds"], 1), "lines_per_second": round(options.lines / report["seconds"]), "samples": len(samples),
                          "highest_resident_kb_by_tenth": tenths, "output_bytes": (folder / "out.jsonl").stat().st_size, "flat": tenths[9] <= 1.05 * tenths[1]}))


main()
