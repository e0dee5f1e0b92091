#!/usr/bin/env python3
"""Plays the scenarios of this folder against a running server: run.py --server URL --key KEY [FILE…]"""
import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "eval"))
from figures_check import bad_figures, bad_quotes, fold  # noqa: E402
import importlib.util  # noqa: E402

_spec = importlib.util.spec_from_file_location("eval_run", HERE.parent / "eval" / "run.py")
_eval = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_eval)
ask = _eval.ask


def complaints(turn, answer):
    """What is wrong with the answer, in words."""
    text = fold(answer["answer"])
    wrong = []
    if turn.get("abstains", False) != answer["abstained"]:
        wrong.append("should abstain" if turn.get("abstains") else "abstained")
    if answer["abstained"]:
        return wrong
    wrong += [f"does not say {said!r}" for said in turn.get("says", []) if fold(said) not in text]
    wrong += [f"says {never!r}" for never in turn.get("never", []) if fold(never) in text]
    if "cites" in turn and not any(turn["cites"] in c["doc"] + c["title"] for c in answer["citations"]):
        wrong.append(f"does not cite {turn['cites']!r}")
    wrong += [f"figure {written!r} is in no citation" for written, _ in bad_figures(answer, turn["ask"])[0]]
    wrong += ["a quote is not verbatim" for _ in bad_quotes(answer)]
    return wrong


def lines_of(path):
    """The scenario's head and its turns."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return lines[0], lines[1:]


def play(path, options):
    head, turns = lines_of(path)
    history, failures = [], 0
    for turn in turns:
        body = {"kb": options.kb or head["kb"], "question": turn["ask"], "stream": False, "history": history}
        answer = ask(options.server, options.key, body, options.timeout)
        wrong = complaints(turn, answer)
        failures += bool(wrong)
        print("FAIL" if wrong else "ok  ", path.stem, "|", turn["ask"], "|", answer["answer"].replace("\n", " "), "|", "; ".join(wrong))
        if head.get("conversation"):
            history += [{"role": "user", "content": turn["ask"]}, {"role": "assistant", "content": answer["answer"]}]
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--server", required=True)
    parser.add_argument("--key", default="")
    parser.add_argument("--kb", help="ask this knowledge base instead of the scenario's")
    parser.add_argument("--timeout", type=float, default=600)
    options = parser.parse_args()
    failures = sum(play(path, options) for path in options.files or sorted(HERE.glob("*.jsonl")))
    print(f"{failures} turns failed" if failures else "all turns as they should be")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
