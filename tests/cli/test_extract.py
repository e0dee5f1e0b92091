"""heng extract and heng train --kind events on the real program. All companies are invented."""
import json
import pathlib
import signal
import subprocess
import time

import pytest
from conftest import BIN

NAMES = ["远岑科技", "白鹿股份", "青禾集团", "云杉控股", "赤水实业", "北斗重工", "江月传媒", "松原药业"]
MONEY = ["3.5亿元", "1200万元", "8亿美元"]


def row(number, event_type, parts):
    """A row of training data from (text, role) parts."""
    content, mentions = "", []
    for text, role in parts:
        if role:
            mentions.append({"word": text, "span": [len(content), len(content) + len(text)], "role": role})
        content += text
    return {"id": f"r{number}", "content": content, "events": [{"type": event_type, "mentions": mentions}]}


def rows():
    out = []
    for i, name in enumerate(NAMES):
        for j in range(3):
            other = NAMES[(i + j + 1) % len(NAMES)]
            out.append(row(len(out), "收购", [(name, "sub"), ("拟以", ""), (MONEY[j], "money"), ("收购", "trigger"), (other, "obj"), ("全部股权。", "")]))
            out.append(row(len(out), "起诉", [("去年，", ""), (name, "sub"), ("就合同纠纷", ""), ("起诉", "trigger"), (other, "obj"), ("。", "")]))
    return out


def write(path, lines):
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)) + "\n" for line in lines), encoding="utf-8")
    return path


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from conftest import Heng
    folder = tmp_path_factory.mktemp("events")
    heng = Heng(folder / "bank").init()
    first, second = write(folder / "a.jsonl", rows()[:24]), write(folder / "b.jsonl", rows()[24:] + ["{broken"])
    done = heng.here("train", "--kind", "events", "--task", "deals", "--in", first, "--in", second, "--holdout", first, "--epochs", "6", "--json")
    assert "b.jsonl:25: not a JSON object" in done.stderr
    heng.report = json.loads(done.stdout)
    return heng


def test_training_prints_its_report(trained):
    report = trained.report
    assert report["rows"] == 48 and report["task"] == "deals"
    assert report["holdout"]["sentences"] == 24 and report["holdout"]["roles"]["f1"] > 0.8
    assert set(report["holdout"]["by_role"]) >= {"trigger", "sub", "obj"}
    assert pathlib.Path(report["file"]).exists()


def test_one_line_out_for_each_line_in(trained, tmp_path):
    lines = [{"id": "a", "content": "云杉控股拟以8亿美元收购白鹿股份全部股权。"}, "{broken", {"id": 7}, {"id": "c", "text": ""}, {"text": "去年，青禾集团就合同纠纷起诉北斗重工。"}]
    out = tmp_path / "out.jsonl"
    trained.here("extract", "--task", "deals", "--in", write(tmp_path / "in.jsonl", lines), "--out", out)
    found = read(out)
    assert [line["id"] for line in found] == ["a", None, 7, "c", None]
    assert [("error" in line) for line in found] == [False, True, True, True, False]
    text = lines[0]["content"]
    for mention in found[0]["events"][0]["mentions"]:
        begin, end = mention["span"]
        assert text[begin:end] == mention["word"]
    assert {m["role"]: m["word"] for m in found[0]["events"][0]["mentions"]}["obj"] == "白鹿股份"
    assert found[4]["events"][0]["type"] == "起诉" and 0 <= found[4]["events"][0]["confidence"] <= 1


def test_a_killed_run_goes_on(empty, tmp_path):
    lines = [{"id": str(i), "text": f"贵州茅台第{i}次分红298.03亿元，董事长王小明表示，{2000 + i % 30}年11月20日完成。" * 12} for i in range(12000)]
    source, out = write(tmp_path / "in.jsonl", lines), tmp_path / "out.jsonl"
    command = [BIN / "heng", "extract", "--task", "entities", "--in", source, "--out", out, "--dir", empty.folder]
    first = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=empty.environment)
    for _ in range(600):
        if out.exists() and out.stat().st_size > 100000:
            break
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    partial = out.read_bytes()
    assert 0 < partial.count(b"\n") < len(lines)
    out.write_bytes(partial[:-5])  # as if the last block had been half written
    again = subprocess.run(command, capture_output=True, text=True, env=empty.environment)
    assert again.returncode == 0 and "going on behind" in again.stderr
    assert [line["id"] for line in read(out)] == [line["id"] for line in lines]


def test_entities_are_linked_to_the_directory(empty, tmp_path):
    source = write(tmp_path / "in.jsonl", [{"id": 1, "text": "茅台（600519）与Kweichow Moutai是同一家；远岑科技不是。"}])
    out = tmp_path / "out.jsonl"
    empty.here("extract", "--task", "entities", "--in", source, "--out", out)
    assert [e["id"] for e in read(out)[0]["entities"]] == ["600519.SH"] * 3
    (empty.folder / "companies.csv").write_text("code,also,name_zh,name_en,aliases\n688999.SH,,远岑科技,Yuancen,\n", encoding="utf-8")
    empty.here("extract", "--task", "entities", "--in", source, "--out", out, "--again")
    assert [e["id"] for e in read(out)[0]["entities"]] == ["600519.SH"] * 3 + ["688999.SH"]
    (empty.folder / "companies.csv").write_text("688999,,a,b,c\n", encoding="utf-8")
    assert "companies.csv:1" in empty.here("extract", "--task", "entities", "--in", source, "--out", out, code=None).stderr


def test_wrong_use_is_explained(empty, trained, tmp_path):
    source = write(tmp_path / "in.jsonl", [{"id": 1, "text": "x"}])
    done = empty.here("extract", "--task", "nosuch", "--in", source, "--out", tmp_path / "o", code=None)
    assert done.returncode != 0 and "nosuch" in done.stderr and "entities" in done.stderr
    assert "same file" in empty.here("extract", "--task", "entities", "--in", source, "--out", source, code=None).stderr
    assert "cannot be opened" in empty.here("extract", "--task", "entities", "--in", tmp_path / "none", "--out", tmp_path / "o", code=None).stderr
    few = write(tmp_path / "few.jsonl", rows()[:5])
    assert "too few" in empty.here("train", "--kind", "events", "--task", "t", "--in", few, code=None).stderr
    model = pathlib.Path(trained.report["file"])
    whole = model.read_bytes()
    try:
        model.write_bytes(whole[: len(whole) // 2])
        assert "ends early" in trained.here("extract", "--task", "deals", "--in", source, "--out", tmp_path / "o", code=None).stderr
    finally:
        model.write_bytes(whole)
