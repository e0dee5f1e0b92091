#!/usr/bin/env python3
"""Latency from a message in to its alert out, and the throughput of heng watch, on made-up news.

The task is trained here on made-up rows: what is measured is the time, not the labels' worth. Every message raises an alert
(rule with count 1), so each has one latency: from before the request is sent until its event has been read."""
import argparse
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import tempfile
import threading
import time

import requests

RULES = """
[[watch]]
name = "贵州茅台"
code = "600519.SH"
aliases = ["茅台"]
[[rule]]
id = "any"
key = "company"
when = { watched = true, label = { is = ["negative", "positive"] } }
"""
BAD, GOOD = ["亏损扩大", "被立案调查", "业绩预减", "股价大跌", "债务违约"], ["净利润增长", "中标大单", "业绩预增", "股价创新高", "获批新药"]


def text(chance, i, watched=True):
    name = "茅台" if watched else "公司" + str(i % 97)
    return f"{name}{chance.choice(BAD + GOOD)}，编号{chance.getrandbits(60):x}的消息称{chance.choice(['渠道', '车间', '门店', '子公司', '研究院'])}情况有变，{chance.choice(BAD + GOOD)}"


def number_of(body):
    """The text comes back cleaned, so it is known again by the number in it."""
    return re.search("编号([0-9a-f]+)", body).group(1)


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


class Bench:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.key = json.loads(self.run("init", folder, "--json"))["key"]
        (folder / "streams.toml").write_text(RULES)
        settings = folder / "heng.toml"   # as many threads as this process may use, which may be fewer than the machine has
        settings.write_text(re.sub(r"(?m)^# threads = 0", f"threads = {len(os.sched_getaffinity(0))}", settings.read_text()))

    def run(self, *arguments):
        done = subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, env={**os.environ, "HENG_LANG": "en"})
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def train(self, rows, chance):
        file = self.folder / "rows.jsonl"
        with file.open("w") as out:
            for i in range(rows):
                bad = i % 2 == 0
                out.write(json.dumps({"text": f"公司{i % 89}{chance.choice(BAD if bad else GOOD)}，{chance.getrandbits(40):x}", "label": "negative" if bad else "positive"}, ensure_ascii=False) + "\n")
        self.run("train", "--task", "tone-linear", "--in", file, "--linear-only", "--dir", self.folder)
        self.run("train", "--task", "tone-encoder", "--in", file, "--dir", self.folder)

    def latencies(self, task, messages, chance):
        headers = {"Authorization": "Bearer " + self.key}
        heard, ready = {}, threading.Event()

        def listen():
            with requests.get(self.url + "/v1/alerts/stream", headers=headers, stream=True, timeout=60) as answer:
                for line in answer.iter_lines(chunk_size=1):
                    ready.set()
                    if line.startswith(b"data: "):
                        alert = json.loads(line[6:])
                        heard[number_of(alert["text"])] = time.perf_counter()
                        if len(heard) == messages:
                            return

        listener = threading.Thread(target=listen)
        listener.start()
        ready.wait(30)
        session, sent, accepted = requests.Session(), {}, 0
        for i in range(messages):
            body = text(chance, i)
            sent[number_of(body)] = time.perf_counter()
            answer = session.post(f"{self.url}/v1/streams/{task}", params={"task": task}, json=[{"text": body}], headers=headers, timeout=60)
            assert answer.status_code == 200, answer.text
            accepted += answer.json()["accepted"]
            time.sleep(chance.uniform(0, 0.02))
        listener.join(60)
        taken = [1000 * (heard[number] - sent[number]) for number in sent if number in heard]
        assert taken, "no alert was heard"
        return {"task": task, "messages": messages, "accepted": accepted, "alerts_heard": len(taken), "p50_ms": round(percentile(taken, 0.5), 1), "p95_ms": round(percentile(taken, 0.95), 1),
                "p99_ms": round(percentile(taken, 0.99), 1), "max_ms": round(max(taken), 1)}

    def serve(self):
        self.process = subprocess.Popen([self.program, "serve", "--dir", self.folder, "--port", "0"], stdout=subprocess.PIPE, stderr=open(self.folder / "server.log", "wb"), text=True)
        self.url = self.process.stdout.readline().strip()

    def watch(self, name, tasks, rows, chance):
        folder = self.folder / ("in-" + name)
        folder.mkdir()
        with (folder / "news.jsonl").open("w") as out:
            for i in range(rows):
                out.write(json.dumps({"id": str(i), "text": text(chance, i, i % 50 == 0)}, ensure_ascii=False) + "\n")
        report = json.loads(self.run("watch", name, "--folder", folder, "--once", "--json", "--dir", self.folder, *tasks))
        return {"watch": name, "messages": rows, "stored": report["accepted"], "near_duplicates": report["near_duplicates"], "seconds": round(report["seconds"], 2), "messages_per_second": round(rows / report["seconds"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--program", required=True)
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--rows", type=int, default=20000)
    parser.add_argument("--stages", default="linear,encoder")
    options = parser.parse_args()
    chance = random.Random(1)
    with tempfile.TemporaryDirectory() as made:
        bench = Bench(options.program, pathlib.Path(made) / "bank")
        bench.train(2000, chance)
        bench.serve()
        try:
            for stage in options.stages.split(","):
                bench.latencies("tone-" + stage, 20, chance)   # heads and model are loaded
                print(json.dumps(bench.latencies("tone-" + stage, options.messages, chance)), flush=True)
        finally:
            bench.process.send_signal(signal.SIGTERM)
            bench.process.wait(timeout=60)
        print(json.dumps(bench.watch("store-only", [], options.rows, chance)), flush=True)
        print(json.dumps(bench.watch("linear", ["--task", "tone-linear"], options.rows, chance)), flush=True)


main()
