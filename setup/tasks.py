#!/usr/bin/env python3
"""Rows for the tasks that come ready: reads public data sets, writes {"text","label"} lines, about an entity {"text","entity","label"},
about a pair {"text","head","tail","label"}; runs `heng train`.

usage: tasks.py DIR [NAME…] | tasks.py --list | tasks.py --rows NAME (to standard output)
"""
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile

DATA = pathlib.Path(os.environ.get("HENG_DATA") or "/nonexistent")


def json_lines(name):
    def rows():
        with open(DATA / name, encoding="utf-8") as file:
            for line in file:
                row = json.loads(line)
                yield row["text"], row["label"]
    return rows, [name]


def news_class():
    """The most specific part of a label: "外国 公司" is company news abroad."""
    for text, label in json.loads((DATA / "text_zh/finnl_train.json").read_text(encoding="utf-8")):
        parts = label.split()
        yield text, " ".join(parts[:2])


def news_with_subjects():
    """Title and text, the companies that it names, those that it is bad news about."""
    for row in json.loads((DATA / "text_zh/finnsp_train.json").read_text(encoding="utf-8")):
        _, title, text, entities, negative, key = row
        if negative in ("0", "1"):
            yield (text if title in text else title + "\n" + text)[:3000], [e for e in entities.split(";") if e], [e for e in key.split(";") if e] if negative == "1" else []


def negative_news():
    for text, _, subjects in news_with_subjects():
        yield text, "negative" if subjects else "other"


def negative_news_subject():
    """Is the news bad for this company? A row for each company that the text names."""
    for text, entities, subjects in news_with_subjects():
        for entity in dict.fromkeys(entities):
            if entity in text:
                yield {"text": text, "entity": entity, "label": "negative" if entity in subjects else "other"}


def relations(names=("train.txt", "valid.txt")):
    for name in names:
        for line in (DATA / "text_zh/finre" / name).read_text(encoding="utf-8").splitlines():
            parts = line.split("\t")
            if len(parts) == 4:
                head, tail, label, text = parts
                yield {"text": text, "head": head, "tail": tail, "label": label}


def scam():
    for i in range(5):
        raw = (DATA / f"fraud/telecom_fraud_zh/label0{i}-last.csv").read_bytes()
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = raw.decode("gb18030", errors="replace")
        for row in list(csv.reader(text.splitlines()))[1:]:
            if len(row) >= 2 and row[0].strip():
                yield ",".join(row[:-1]), "normal" if row[-1].strip() == "0" else row[-1].strip()


def spam():
    for line in (DATA / "fraud/sms_spam/sms.tsv").read_text(encoding="utf-8").splitlines():
        label, _, text = line.partition("\t")
        if text:
            yield text, label


def entity_sentiment():
    """Tone towards one company of the sentence; a name that has two tones in one sentence is left out."""
    for row in json.loads((DATA / "text/finentity/FinEntity.json").read_text(encoding="utf-8")):
        text, tones = row["content"], {}
        for note in row["annotations"]:
            tones.setdefault(text[note["start"]:note["end"]], set()).add(note["label"].lower())
        for name, labels in tones.items():
            if len(labels) == 1:
                yield {"text": text, "entity": name, "label": labels.pop()}


# name → (rows, files, description, may be passed on)
TASKS = {
    "sentiment-zh": (*json_lines("text_zh/forum_sentiment_train.jsonl"), "Tone of stock-forum posts (zh). Data: FinFE.", False),
    "sentiment-en": (*json_lines("text/phrasebank.jsonl"), "Tone of financial news (en). Data: Financial PhraseBank, CC BY-NC-SA.", False),
    "tweets": (*json_lines("text/twitter_finance_train.jsonl"), "Tone of finance tweets (en).", False),
    "banking-intent": (*json_lines("text/banking77_train.jsonl"), "What a bank's customer wants, 77 intents (en). Data: BANKING77, CC BY 4.0.", True),
    "news-class": (news_class, ["text_zh/finnl_train.json"], "Class of market news (zh). Data: FinNL.", False),
    "negative-news": (negative_news, ["text_zh/finnsp_train.json"], "Is a text bad news about a company (zh). Data: FinNSP.", False),
    "negative-news-subject": (negative_news_subject, ["text_zh/finnsp_train.json"],
                              "Is a text bad news for this company of it (zh); heng extract finds the companies. Data: FinNSP.", False),
    "relations-zh": (relations, ["text_zh/finre/train.txt", "text_zh/finre/valid.txt"],
                     "Relation of two companies in a sentence (zh). Data: FinRE, MIT.", True),
    "scam-zh": (scam, [f"fraud/telecom_fraud_zh/label0{i}-last.csv" for i in range(5)], "Telecom fraud and its kind (zh). Research only.", False),
    "spam-en": (spam, ["fraud/sms_spam/sms.tsv"], "Spam in short messages (en). Data: UCI SMS Spam, CC BY 4.0.", True),
    "entity-sentiment-en": (entity_sentiment, ["text/finentity/FinEntity.json"],
                            "Tone towards a company of a sentence (en); heng extract finds the companies. Data: FinEntity, ODC-BY 1.0.", True),
}


# name → (what the chat model is asked, labels with the word it would say); not measured on any data
DESCRIBED = {
    "monetary-stance": ("Decide the stance of this sentence about monetary policy. Hawkish: towards higher rates or tighter money, or worried about "
                        "inflation. Dovish: towards lower rates or easier money, or worried about growth and jobs. Neutral: neither.",
                        ["hawkish", "dovish", "neutral"]),
    "esg-topic": ("Decide which ESG topic this sentence of a company report is about: environmental (emissions, energy, waste, nature), social (staff, "
                  "safety, customers, communities), governance (board, pay, audit, bribery), or none of them.",
                  ["environmental", "social", "governance", "none"]),
    "climate": ("Decide whether this paragraph of a company report is about climate: a climate risk (harm, cost, regulation), a climate opportunity (new "
                "business, savings), or not about climate.", ["risk", "opportunity", "none"]),
}


def write_rows(name, path):
    count = 0
    with open(path, "w", encoding="utf-8") as out:
        for row in TASKS[name][0]():
            out.write(json.dumps(row if isinstance(row, dict) else {"text": row[0], "label": row[1]}, ensure_ascii=False) + "\n")
            count += 1
    return count


def main():
    if sys.argv[1:] == ["--list"]:
        for name, (_, files, description, free) in TASKS.items():
            there = all((DATA / file).exists() for file in files)
            print(f"{name:20} {'' if free else '[evaluation only] '}{description}{'' if there else ' (data not here)'}")
        for name, (description, labels) in DESCRIBED.items():
            print(f"{name:20} [by the chat model, not measured] {', '.join(labels)}")
        return 0
    if sys.argv[1:2] == ["--rows"]:
        write_rows(sys.argv[2], "/dev/stdout")
        return 0
    folder, names = sys.argv[1], sys.argv[2:] or [*TASKS, *DESCRIBED]
    unknown = [name for name in names if name not in TASKS and name not in DESCRIBED]
    if unknown:
        print(f"no task {', '.join(unknown)}; there are: {', '.join([*TASKS, *DESCRIBED])}", file=sys.stderr)
        return 2
    failed = 0
    for name in names:
        if name in DESCRIBED:
            description, labels = DESCRIBED[name]
            options = [part for label in labels for part in ("--label", label)]
            failed += subprocess.run([os.environ["HENG_BIN"] + "/heng", "tasks", "add", name, "--description", description, *options, "--dir", folder]).returncode != 0
            continue
        _, files, description, free = TASKS[name]
        absent = [file for file in files if not (DATA / file).exists()]
        if absent:
            print(f"{name}: skipped, {absent[0]} is not under HENG_DATA")
            continue
        with tempfile.TemporaryDirectory() as temporary:
            rows = pathlib.Path(temporary) / "rows.jsonl"
            write_rows(name, rows)
            command = [os.environ["HENG_BIN"] + "/heng", "train", "--task", name, "--in", rows, "--description", description, "--dir", folder, "--json"]
            if not free:
                command.append("--evaluation-only")
            if os.environ.get("HENG_LINEAR_ONLY"):
                command.append("--linear-only")
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            if done.returncode:
                failed += 1
                continue
            report = json.loads(done.stdout)
            stages = " · ".join(f"{s['stage']} accuracy {s['accuracy']:.4f} weighted F1 {s['weighted_f1']:.4f} ECE {s['ece']:.4f}" for s in report["stages"])
            seconds = ", ".join(f"{stage} {value:.1f} s" for stage, value in report["seconds"].items())
            print(f"{name}: {stages} ({report['stages'][0]['measured_on']}; {seconds})", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
