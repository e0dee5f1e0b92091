#!/usr/bin/env python3
"""Asks a running server every question of a set and reports what it did.

  run.py --server http://127.0.0.1:8080 --key heng_… --set figures_questions.jsonl [--kb NAME] [--limit N] [--out answers.jsonl]

Gates: no released figure that its citation does not contain or the calculator did not compute; every quote verbatim in its
passage; for sets of absent answers, at least 95 % abstentions. Exit code 1 where a gate fails.
"""
import argparse
import json
import pathlib
import re
import statistics
import sys
import time
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from figures_check import bad_figures, bad_quotes, fold  # noqa: E402


def ask(server, key, body, timeout):
    request = urllib.request.Request(server.rstrip("/") + "/v1/ask", json.dumps(body).encode(), {"Content-Type": "application/json"})
    if key:
        request.add_header("Authorization", "Bearer " + key)
    with urllib.request.urlopen(request, timeout=timeout) as reply:
        return json.load(reply)


def expected_found(item, answer):
    """Whether the answer holds what the set expects; None where the set expects nothing."""
    text = re.sub(r"\s+", "", fold(answer["answer"]))
    if "article" in item:
        chunks = {p["chunk"]: p for p in answer.get("passages", [])}
        cited = [chunks.get(c["chunk"], {}) for c in answer.get("citations", [])]
        law = item["law"].removesuffix(".md").split("(")[0]
        return any(item["article"] in p.get("text", "") + p.get("heading", "") and law in p.get("title", "") + c["doc"]
                   for p, c in zip(cited, answer.get("citations", [])))
    if "expect" in item:
        wanted = item["expect"] if isinstance(item["expect"], list) else [item["expect"]]
        return any(re.sub(r"\s+", "", fold(w)) in text for w in wanted)
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", required=True)
    parser.add_argument("--key", default="")
    parser.add_argument("--set", required=True)
    parser.add_argument("--kb", help="ask this knowledge base instead of the set's")
    parser.add_argument("--only-kb", help="only questions against this knowledge base")
    parser.add_argument("--model", default="")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--every", type=int, default=1, help="take every n-th question")
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--out", help="write every answer here")
    options = parser.parse_args()

    here = pathlib.Path(__file__).parent
    path = pathlib.Path(options.set)
    path = path if path.exists() else here / path
    items = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if options.only_kb:
        items = [i for i in items if i["kb"] == options.only_kb]
    items = items[::options.every]
    if options.limit:
        items = items[:options.limit]
    absent = path.name.startswith("absent")

    answered = abstained = failed = right = expected = checked = 0
    bad, rounded, quotes, slow, wrong = [], [], [], [], []
    out = open(options.out, "w", encoding="utf-8") if options.out else None
    for number, item in enumerate(items, 1):
        body = {"kb": options.kb or item["kb"], "question": item["question"], "stream": False}
        if options.model:
            body["model"] = options.model
        begin = time.monotonic()
        try:
            answer = ask(options.server, options.key, body, options.timeout)
        except (urllib.error.URLError, TimeoutError, json.JSONDecodeError) as error:
            failed += 1
            detail = error.read().decode(errors="replace")[:200] if isinstance(error, urllib.error.HTTPError) else str(error)
            print(f"{item['id']}: failed: {detail}", file=sys.stderr)
            continue
        seconds = time.monotonic() - begin
        slow.append(seconds)
        abstained += answer["abstained"]
        answered += not answer["abstained"]
        if not answer["abstained"]:
            b, r, c = bad_figures(answer, item["question"])
            bad += [(item["id"], *x) for x in b]
            rounded += [(item["id"], *x) for x in r]
            checked += c
            quotes += [(item["id"], c["quote"]) for c in bad_quotes(answer)]
        ok = expected_found(item, answer)
        if ok is not None:
            expected += 1
            right += ok
        if absent and not answer["abstained"] or ok is False:
            wrong.append((item["id"], item["question"], answer["answer"]))
        if out:
            out.write(json.dumps({"item": item, "seconds": round(seconds, 2), "answer": answer}, ensure_ascii=False) + "\n")
            out.flush()
        print(f"\r{number}/{len(items)} answered {answered} abstained {abstained} failed {failed} bad figures {len(bad)}", end="", file=sys.stderr)
    print(file=sys.stderr)

    for name, rows in (("BAD FIGURE", bad), ("rounded", rounded), ("BAD QUOTE", quotes), ("wrong", wrong)):
        for row in rows:
            print(name, *row, sep=" | ")
    total = answered + abstained
    report = {"set": path.name, "questions": len(items), "answered": answered, "abstained": abstained, "failed": failed,
              "expected_found": right, "expected": expected, "figures_checked": checked, "bad_figures": len(bad), "rounded_figures": len(rounded),
              "bad_quotes": len(quotes), "median_seconds": round(statistics.median(slow), 2) if slow else None,
              "p95_seconds": round(sorted(slow)[int(len(slow) * 0.95) - 1 if len(slow) > 1 else 0], 2) if slow else None}
    print(json.dumps(report, ensure_ascii=False))
    passed = failed == 0 and not bad and not quotes and total > 0
    if absent:
        passed = passed and abstained >= 0.95 * total
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
