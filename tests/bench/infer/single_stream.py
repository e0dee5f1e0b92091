#!/usr/bin/env python3
"""Prompt and generation speed of one request: Heng's engine against llama-bench, same file, threads and flags.

usage: single_stream.py [--engine PATH] [--bench PATH] [--model PATH] [--rounds 3] [--runs 3] [--json FILE]
The two take turns (round by round), so that a busy moment of the machine hits both. Exit code 1 beyond 3 %.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys


def main():
    prefix, models = os.environ.get("HENG_PREFIX", ""), os.environ.get("HENG_MODELS", "")
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", default="build/bench/bin/infer_engine_bench")
    parser.add_argument("--bench", default=os.path.join(prefix, "bin/llama-bench"))
    parser.add_argument("--model", default=os.path.join(models, "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--answer", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tolerance", type=float, default=0.03)
    parser.add_argument("--json")
    args = parser.parse_args()

    ours = {"prompt": [], "answer": []}
    theirs = {"prompt": [], "answer": []}
    bench = [args.bench, "-m", args.model, "-p", str(args.prompt), "-n", str(args.answer), "-r", str(args.runs),
             "-t", str(args.threads), "-fa", "1", "-b", "2048", "-ub", "512", "-o", "json"]
    engine = [args.engine, "single", args.model, str(args.threads), str(args.prompt), str(args.answer), str(args.runs)]
    for number in range(args.rounds):
        out = json.loads(subprocess.run(bench, check=True, capture_output=True, text=True).stdout)
        for test in out:
            theirs["prompt" if test["n_prompt"] else "answer"] += [float(s) for s in test["samples_ts"]]
        out = json.loads(subprocess.run(engine, check=True, capture_output=True, text=True).stdout)
        ours["prompt"] += out["prompt_tokens_per_second"]
        ours["answer"] += out["answer_tokens_per_second"]
        print(f"round {number + 1} of {args.rounds} done", file=sys.stderr)
    print("peer:  " + " ".join([os.path.basename(bench[0])] + bench[3:]))
    print("heng:  " + " ".join([os.path.basename(engine[0])] + engine[1:2] + engine[3:]))
    print(f"model: {os.path.basename(args.model)}")
    print(f"{'tokens/s (median)':24}{'llama-bench':>14}{'heng':>14}{'heng/peer':>12}")
    result, passed = {}, True
    for kind, label in (("prompt", f"prompt {args.prompt}"), ("answer", f"answer {args.answer}")):
        peer, own = statistics.median(theirs[kind]), statistics.median(ours[kind])
        print(f"{label:24}{peer:14.1f}{own:14.1f}{own / peer:12.3f}")
        result[kind] = {"peer": peer, "heng": own, "ratio": own / peer, "peer_samples": theirs[kind], "heng_samples": ours[kind]}
        passed &= own / peer >= 1 - args.tolerance
    if args.json:
        with open(args.json, "w") as file:
            json.dump(result, file)
    print("within 3 %" if passed else "SLOWER than 3 % below the peer")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
