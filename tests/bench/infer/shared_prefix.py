#!/usr/bin/env python3
"""Clients that share a long system prompt: Heng's engine against llama-server with its best flags.

usage: shared_prefix.py [--engine PATH] [--server PATH] [--model PATH] [--clients 16] [--waves 2] [--json FILE]
Each client asks one question per wave, the next as soon as it has its answer. All start at once with nothing cached.
Goals: throughput at least 1.2x, p95 time to first token in the first wave at most 0.3x, KV memory at most 0.3x.
"""
import argparse
import http.client
import json
import math
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time

WORDS = "bank rate loan card fee client risk fund bond year branch limit term money credit debt asset trade stock price".split()
NEVER = "151643,151645"  # Qwen's ends of text and turn: answers have their full length on both sides


def words(count, seed):
    chooser = random.Random(seed)
    return " ".join(chooser.choice(WORDS) for _ in range(count))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def p95(values):
    values = sorted(values)
    return values[max(0, math.ceil(0.95 * len(values)) - 1)]


class Server:
    def __init__(self, args, context):
        self.port = free_port()
        self.flags = ["-np", str(args.clients), "-kvu", "-fa", "on", "-c", str(context), "-t", str(args.threads), "-b", "2048", "-ub", "512"]
        self.process = subprocess.Popen([args.server, "-m", args.model, "--host", "127.0.0.1", "--port", str(self.port)] + self.flags,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(600):
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.1)
        raise SystemExit("llama-server does not start")

    def ask(self, system, question, tokens):
        body = {"messages": [{"role": "system", "content": system}, {"role": "user", "content": question}], "max_tokens": tokens, "temperature": 0,
                "stream": True, "ignore_eos": True, "cache_prompt": True, "stream_options": {"include_usage": True}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1800)
        begin = time.monotonic()
        connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
        response, first, usage = connection.getresponse(), 0.0, {}
        for line in response:
            if not line.startswith(b"data: {"):
                continue
            event = json.loads(line[6:])
            usage = event.get("usage") or usage
            if not first and event.get("choices") and event["choices"][0]["delta"].get("content"):
                first = (time.monotonic() - begin) * 1000
        return first, usage

    def stop(self):
        self.process.terminate()
        self.process.wait()


def run_server(args, system, questions, context):
    server = Server(args, context)
    first, later, totals, lock = [], [], {"prompt": 0, "answer": 0}, threading.Lock()
    server.ask("warm", "warm", 2)

    def client(number):
        for wave in range(args.waves):
            ms, usage = server.ask(system, questions[wave * args.clients + number], args.answer)
            with lock:
                (first if wave == 0 else later).append(ms)
                totals["prompt"] += usage.get("prompt_tokens", 0)
                totals["answer"] += usage.get("completion_tokens", 0)

    begin = time.monotonic()
    threads = [threading.Thread(target=client, args=(i,)) for i in range(args.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begin
    server.stop()
    return {"seconds": seconds, "first_wave_ms": first, "later_waves_ms": later, "prompt_tokens": totals["prompt"],
            "answer_tokens": totals["answer"], "flags": server.flags}


def main():
    prefix, models = os.environ.get("HENG_PREFIX", ""), os.environ.get("HENG_MODELS", "")
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", default="build/bench/bin/infer_engine_bench")
    parser.add_argument("--server", default=os.path.join(prefix, "bin/llama-server"))
    parser.add_argument("--model", default=os.path.join(models, "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--waves", type=int, default=2)
    parser.add_argument("--answer", type=int, default=64)
    parser.add_argument("--system-words", type=int, default=990)
    parser.add_argument("--question-words", type=int, default=95)
    parser.add_argument("--json")
    args = parser.parse_args()

    system = words(args.system_words, "system")
    questions = [words(args.question_words, i) for i in range(args.clients * args.waves)]
    each = args.system_words + args.question_words + args.answer + 40
    # the least that holds all clients: the peer keeps each client's prompt, Heng the shared part once
    peer_context = -(-each * args.clients // 256) * 256
    own_context = -(-(args.system_words + (each - args.system_words) * args.clients * 5 // 4) // 256) * 256
    ours = json.loads(subprocess.run([args.engine, "wave", args.model, str(args.threads), str(own_context), str(args.clients), str(args.waves), str(args.answer), NEVER],
                                     input="\n".join([system] + questions), check=True, capture_output=True, text=True).stdout)
    theirs = run_server(args, system, questions, peer_context)

    per_cell = ours["kv_bytes"] / ours["kv_cells"]
    rows = [
        ("requests per second", args.clients * args.waves / theirs["seconds"], args.clients * args.waves / ours["seconds"], 1.2, True),
        ("answer tokens per second", theirs["answer_tokens"] / theirs["seconds"], ours["answer_tokens"] / ours["seconds"], 1.2, True),
        ("first wave, first token p50, ms", statistics.median(theirs["first_wave_ms"]), statistics.median(ours["first_wave_ms"]), None, False),
        ("first wave, first token p95, ms", p95(theirs["first_wave_ms"]), p95(ours["first_wave_ms"]), 0.3, False),
        ("KV memory, MiB", peer_context * per_cell / 2**20, ours["kv_bytes"] / 2**20, 0.3, False),
    ]
    if theirs["later_waves_ms"]:
        rows.insert(4, ("later waves, first token p95, ms", p95(theirs["later_waves_ms"]), p95(ours["later_waves_ms"]), None, False))
    print("peer:  llama-server " + " ".join(theirs["flags"]))
    print(f"heng:  infer_engine_bench wave, context_tokens {own_context}, threads {args.threads}")
    print(f"model: {os.path.basename(args.model)}; {args.clients} clients, {args.waves} waves; prompt tokens {ours['prompt_tokens']} "
          f"(peer {theirs['prompt_tokens']}), from the prefix tree {ours['cached_tokens']}; peak KV cells {ours['kv_cells_peak']} of {ours['kv_cells']}")
    print(f"{'':34}{'llama-server':>14}{'heng':>12}{'heng/peer':>11}  goal")
    passed, result = True, {}
    for name, peer, own, goal, high in rows:
        ratio = own / peer if peer else float("nan")
        text = "" if goal is None else f"{'>=' if high else '<='} {goal}"
        good = goal is None or (ratio >= goal if high else ratio <= goal)
        passed &= good
        print(f"{name:34}{peer:14.2f}{own:12.2f}{ratio:11.3f}  {text}{'' if good else '  MISSED'}")
        result[name] = {"peer": peer, "heng": own, "ratio": ratio}
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"rows": result, "heng": ours, "peer": theirs}, file)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
