"""Streams with the real program: watch, kill, alerts, briefs."""
import hashlib
import json
import os
import random
import signal
import subprocess
import time

import pytest

from conftest import BIN, Heng

RULES = """
[[watch]]
name = "贵州茅台"
code = "600519.SH"
aliases = ["茅台"]

[[delivery]]
name = "file"
kind = "file"
path = "alerts.jsonl"

[[rule]]
id = "three"
name = { zh = "三条亏损", en = "Three losses" }
severity = "high"
key = "company"
count = 3
window = "1h"
deliver = ["file"]
when = { watched = true, keywords = { any = ["亏损"] } }
"""


def news(folder, count=200):
    folder.mkdir(exist_ok=True)
    lines = []
    for i in range(count):
        text = f"茅台渠道{hashlib.sha256(str(i).encode()).hexdigest()[:20]}出现亏损" if i % 9 == 0 else f"市场消息{hashlib.sha256(str(-i).encode()).hexdigest()[:24]}平稳"
        lines.append(json.dumps({"id": str(i), "text": text, "published": 1764000000 + 60 * i, "source": "wire"}, ensure_ascii=False))
        if i % 10 == 0:
            lines.append(json.dumps({"text": text}, ensure_ascii=False))
    (folder / "news.jsonl").write_text("\n".join(lines) + "\n")
    return len(lines)


def stored(heng, out):
    return [{k: v for k, v in json.loads(line).items() if k != "ingested"} for line in out.read_text().splitlines()]


@pytest.fixture
def desk(tmp_path):
    heng = Heng(tmp_path / "bank").init()
    (heng.folder / "streams.toml").write_text(RULES)
    return heng


def test_watch_stores_alerts_and_briefs(desk, tmp_path):
    lines = news(tmp_path / "in")
    report = desk.json("watch", "news", "--folder", tmp_path / "in", "--once", "--out", tmp_path / "out.jsonl")[0]
    assert report["messages"] == lines and report["accepted"] == 200 and report["duplicates"] == lines - 200
    items = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert len(items) == 200 and items[0]["published"].startswith("2025-11-24") and items[0]["event_time"] is None and items[0]["ingested"]
    assert desk.json("watch", "news", "--folder", tmp_path / "in", "--once", "--out", tmp_path / "out.jsonl")[0]["messages"] == 0

    alerts = desk.json("alerts", "list")
    assert alerts and all(a["key"] == "贵州茅台" and a["count"] >= 3 for a in alerts)
    assert len((desk.folder / "alerts.jsonl").read_text().splitlines()) == len(alerts)
    done = desk.json("alerts", "ack", alerts[0]["id"], "--note", "called the desk")[0]
    assert done["state"] == "acknowledged"
    assert "acknowledged by" in desk.here("alerts", "ack", alerts[0]["id"], "--note", "again", code=None).stderr
    assert any(r["opened"]["action"] == "alert.ack" for r in desk.json("audit", "tail", "-n", "20"))
    assert desk.here("audit", "verify").returncode == 0

    brief = desk.json("brief", "--company", "茅台", "--from", "2025-11-24", "--to", "2025-11-26", "--compare", "茅台,平安银行")[0]
    counts = {c["id"]: c for c in brief["counts"]}
    about = [i for i in brief["items"] if "茅台" in i["text"]]
    assert counts["items"]["value"] == len(about) == len(counts["items"]["items"]) == 23
    for headline in brief["headlines"]:
        assert headline["sentence"].rstrip("…") in brief["items"][headline["cites"] - 1]["text"]
    assert [row["mentions"] for row in brief["comparison"]] == [23, 0]
    desk.here("brief", "--from", "2025-11-24", "--to", "2025-11-26", "--format", "html", "--out", tmp_path / "brief.html", "--lang", "zh")
    page = (tmp_path / "brief.html").read_text()
    assert "<svg" in page and "<script" not in page and "AIGC" in page and "http://www.w3.org" in page
    text = desk.here("brief", "--from", "2025-11-24", "--to", "2025-11-26").stdout
    assert "Tone over time" in text and "[1" in text


def test_killed_at_any_moment_it_goes_on(desk, tmp_path):
    news(tmp_path / "in", 400)
    other = Heng(tmp_path / "calm").init()
    (other.folder / "streams.toml").write_text(RULES)
    other.here("watch", "news", "--folder", tmp_path / "in", "--once", "--out", tmp_path / "calm.jsonl", "--batch", "9")
    chance, kills = random.Random(7), 0
    for _ in range(200):
        process = subprocess.Popen([BIN / "heng", "watch", "news", "--folder", tmp_path / "in", "--once", "--out", tmp_path / "out.jsonl", "--batch", "9", "--dir", desk.folder],
                                   env={**os.environ, "HENG_LANG": "en"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0.02, 0.25))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
            process.wait()
            continue
        process.wait()
        break
    assert kills >= 2
    desk.here("watch", "news", "--folder", tmp_path / "in", "--once", "--out", tmp_path / "out.jsonl", "--batch", "9")
    assert stored(desk, tmp_path / "out.jsonl") == stored(other, tmp_path / "calm.jsonl")
    strip = lambda alerts: [{k: v for k, v in a.items() if k not in ("raised", "ingested")} for a in alerts]
    assert strip(desk.json("alerts", "list", "-n", "500")) == strip(other.json("alerts", "list", "-n", "500"))


def test_standard_input_and_wrong_use(desk, tmp_path):
    report = desk.run("watch", "pipe", "--stdin", "--dir", desk.folder, "--json", text='{"text":"茅台亏损"}\nplain line\n{"x":1}\n')
    assert json.loads(report.stdout)["accepted"] == 2 and "stdin:3" in report.stderr
    assert desk.here("watch", "pipe", code=None).returncode != 0
    assert desk.here("watch", "a b", "--stdin", text="x\n", code=None).returncode != 0
    assert desk.here("watch", "pipe", "--folder", tmp_path / "nowhere", code=None).returncode != 0
    assert desk.here("watch", "pipe", "--stdin", "--task", "no-such-task", text="x\n", code=None).returncode != 0
    assert desk.here("brief", "--from", "someday", code=None).returncode != 0


def test_rules_are_checked_by_line(desk):
    assert "1 rules" in desk.here("alerts", "check").stdout
    (desk.folder / "streams.toml").write_text(RULES + '\n[[rule]]\nid = "x"\ncount = "many"\nwhen = { watched = true }\n')
    refused = desk.here("alerts", "check", code=3).stderr
    assert "streams.toml, line" in refused and "count" in refused
    assert desk.here("watch", "pipe", "--stdin", text="x\n", code=3)
    example = desk.run("alerts", "example").stdout
    (desk.folder / "streams.toml").write_text(example)
    desk.here("alerts", "check")
