#!/usr/bin/env python3
"""Labels by scoring behind a shared prefix: Heng's engine against llama-server with its best flags, same file, same prompts.

usage: scoring.py [--items 128] [--rounds 3] [--json FILE]
Three comparisons over short posts: one label of three (the server held to the labels by a grammar), a JSON answer of three
closed fields (the server held to the schema by a grammar), and the same asked one at a time. The server keeps the prefix in
its prompt cache. Goals: at least 1.5x, 3x and 6x items a second; the label equal except where the margin is below 0.3 nats.
"""
import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from shared_prefix import Server  # noqa: E402

LABELS = ["positive", "neutral", "negative"]
FIELDS = [("tone", LABELS), ("about", ["price", "company", "market"]), ("urgent", ["yes", "no"])]
NOISE = 0.3  # nats between two label's log-probabilities: batch shapes round differently

EXAMPLES = [("shares of the lender climb after strong quarterly profit and a higher dividend for all holders this year", ("positive", "price", "no")),
            ("the insurer will publish its half year figures on thursday morning before the market opens in london", ("neutral", "company", "no")),
            ("regulator opens a probe into accounting at the retailer and trading in its stock was halted at noon", ("negative", "company", "yes"))]


def posts(count, seed=7):
    """Short made-up posts of about twenty tokens."""
    choose = random.Random(seed).choice
    who = ["the bank", "the chip maker", "an insurer", "this fund", "the retailer", "a small broker", "the steel group", "the carmaker"]
    did = ["beats forecasts", "cuts its outlook", "raises the dividend", "loses a large client", "opens a new branch", "is fined by the regulator",
           "buys back shares", "delays its report", "hires a new chief", "misses on revenue"]
    more = ["and the stock jumps", "and holders are selling", "while volume stays flat", "before the opening bell", "after weak demand abroad",
            "as margins improve again", "which nobody had expected", "says a filing on monday"]
    tail = ["for the second time", "in early trade", "this quarter", "says the board", "up to 4 percent", "down 3 percent so far", "on heavy volume"]
    return [f"{choose(who)} {choose(did)} {choose(more)} {choose(tail)}" for _ in range(count)]


def answer(values):
    return json.dumps(dict(zip((name for name, _ in FIELDS), values)), separators=(",", ":"))


def prefix(kind):
    head = "Each line is a post about a stock" + (" and its tone: positive, neutral or negative.\n" if kind == "label" else ", then what it says as JSON.\n")
    return head + "".join(f"{text} => {values[0] if kind == 'label' else answer(values)}\n" for text, values in EXAMPLES * 3)


def grammar(kind):
    if kind == "label":
        return 'root ::= " " (' + " | ".join(f'"{label}"' for label in LABELS) + ")"
    parts = []
    for i, (name, labels) in enumerate(FIELDS):
        lead = ("{" if i == 0 else ",") + f'\\"{name}\\":\\"'
        parts.append(f'"{lead}" (' + " | ".join(f'"{label}"' for label in labels) + ') "\\""')
    return 'root ::= " " ' + " ".join(parts) + ' "}"'


def fields(kind):
    if kind == "label":
        return [{"lead": " ", "candidates": LABELS}]
    # every field is asked from the item's shared state, as if it were the object's first
    return [{"lead": f' {{"{name}":"', "candidates": labels} for name, labels in FIELDS]


def ask_server(port, prompt, kind):
    body = {"prompt": prompt, "n_predict": 48, "temperature": 0, "cache_prompt": True, "grammar": grammar(kind), "stream": False}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1800)
    connection.request("POST", "/completion", json.dumps(body), {"Content-Type": "application/json"})
    reply = json.load(connection.getresponse())
    if "content" not in reply:
        raise SystemExit(f"llama-server refuses the request: {reply}")
    return reply["content"].strip()


def run_server(server, kind, items, workers):
    start, behind = prefix(kind), " =>"
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        # every slot reads the prefix before the clock starts: the server keeps one copy for each
        list(pool.map(lambda item: ask_server(server.port, start + item + " warm" + behind, kind), items[:workers]))
        begin = time.monotonic()
        said = list(pool.map(lambda item: ask_server(server.port, start + item + behind, kind), items))
    return time.monotonic() - begin, said


def run_engine(options, kind, items):
    request = {"prefix": prefix(kind), "items": [item + " =>" for item in items], "fields": fields(kind)}
    done = subprocess.run([options.engine, "score", options.model, str(options.threads), "1"], input=json.dumps(request), check=True, capture_output=True, text=True)
    out = json.loads(done.stdout)
    return out["seconds"][0], out["logprobs"]


def label_of(row):
    best = max(range(len(LABELS)), key=lambda i: row[i])
    return LABELS[best], sorted(row[:len(LABELS)])[-1] - sorted(row[:len(LABELS)])[-2]


def disagreements(kind, said, rows):
    """(labels that differ although the margin is above the noise, labels that differ at all)."""
    far = near = 0
    for text, row in zip(said, rows):
        theirs = text if kind == "label" else json.loads(text)["tone"]
        ours, margin = label_of(row)
        near += theirs != ours
        far += theirs != ours and margin > NOISE
    return far, near


def main():
    prefix_folder, models = os.environ.get("HENG_PREFIX", ""), os.environ.get("HENG_MODELS", "")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default="build/release/bin/infer_engine_bench")
    parser.add_argument("--server", default=os.path.join(prefix_folder, "bin/llama-server"))
    parser.add_argument("--model", default=os.path.join(models, "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--items", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    items = posts(options.items)
    plan = [("label", options.clients, 1.5, items), ("json", options.clients, 3.0, items), ("json", 1, 6.0, items[:max(8, options.items // 4)])]
    result, passed = [], True
    for kind, workers, goal, chosen in plan:
        theirs, ours, said, rows = [], [], [], []
        for _ in range(options.rounds):
            seconds, rows = run_engine(options, kind, chosen)
            ours.append(len(chosen) / seconds)
            server = Server(options, 16384)  # each slot keeps a copy of the prefix
            flags = server.flags
            seconds, said = run_server(server, kind, chosen, workers)
            server.stop()
            theirs.append(len(chosen) / seconds)
        far, near = disagreements(kind, said, rows)
        ratio = statistics.median(ours) / statistics.median(theirs)
        result.append({"kind": kind, "workers": workers, "heng": ours, "peer": theirs, "ratio": ratio, "goal": goal, "different": near, "different_beyond_noise": far})
        name = {"label": "one label of three", "json": "JSON, three closed fields"}[kind] + (", one at a time" if workers == 1 else "")
        print(f"{name:42} llama-server {statistics.median(theirs):7.2f}/s   heng {statistics.median(ours):7.2f}/s   ratio {ratio:5.2f} (goal {goal})   "
              f"tone differs {near} of {len(chosen)}, {far} beyond {NOISE} nats", flush=True)
        passed &= ratio >= goal
    print("peer: llama-server " + " ".join(flags) + "; /completion with cache_prompt, grammar, temperature 0")
    print(f"heng: infer_engine_bench score {options.threads} threads, 256 sequences, closed fields")
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(result))
    print("all goals reached" if passed else "a goal is MISSED")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
