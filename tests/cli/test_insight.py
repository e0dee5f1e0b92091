"""train, label and tasks as their user meets them. The rows are made here: two tones of short notes, in two languages."""
import json
import os
import signal
import subprocess
import time

import pytest
from conftest import BIN, Heng

UP = ["业绩大增，股价涨停", "订单创新高，利好不断", "profit rose sharply", "sales jumped to a record"]
DOWN = ["巨亏暴雷，股价跌停", "被立案调查，风险加大", "profit fell sharply", "sales dropped on weak demand"]


def rows(count):
    for i in range(count):
        up = i % 2 == 0
        yield {"id": i, "text": f"{(UP if up else DOWN)[i // 2 % 4]} {i * 7919 % 1000}", "label": "up" if up else "down"}


def write(path, items):
    path.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items))
    return path


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    heng = Heng(tmp_path_factory.mktemp("insight") / "bank").init()
    data = write(heng.folder / "rows.jsonl", rows(200))
    report = heng.json("train", "--task", "tone", "--in", data, "--linear-only")[0]
    assert report["task"]["data_sha256"] and report["stages"][0]["stage"] == "linear"
    assert report["stages"][0]["accuracy"] > 0.99 and report["stages"][0]["ece"] < 0.03
    return heng


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_label_explains_itself(desk, tmp_path):
    given = write(tmp_path / "in.jsonl", [{"id": "a", "text": "今天股价涨停了"}, {"id": "b", "text": "股价又跌停了，风险大"}])
    desk.here("label", "--task", "tone", "--in", given, "--out", tmp_path / "out.jsonl", "--evidence")
    first, second = lines(tmp_path / "out.jsonl")
    assert (first["id"], first["label"], first["tier"]) == ("a", "up", "linear")
    assert second["label"] == "down" and abs(sum(second["scores"].values()) - 1) < 0.001
    strongest = max(first["evidence"], key=lambda e: e["weight"])
    assert "涨" in "今天股价涨停了"[strongest["start"]:strongest["end"]]


def test_bad_lines_do_not_stop_the_run(desk, tmp_path):
    given = tmp_path / "in.jsonl"
    given.write_bytes(b'{"id":1,"text":"profit rose"}\nnonsense\n{"id":3}\n{"id":4,"text":""}\n{"id":5,"text":"\xff"}\n'
                      + b'{"id":6,"text":"' + b"x" * 1_000_000 + b'"}\n{"id":7,"text":"profit fell"}\n')
    done = desk.here("label", "--task", "tone", "--in", given, "--out", "-")
    out = [json.loads(line) for line in done.stdout.splitlines()]
    assert [o["id"] for o in out] == [1, None, 3, 4, None, 6, 7]
    assert out[0]["label"] == "up" and out[6]["label"] == "down"
    assert all("error" in o for o in out[1:6]) and out[1]["error"]["line"] == 2 and out[5]["error"]["code"] == "too_large"
    assert "5 errors" in done.stderr


def test_refusals_say_what_to_do(desk, tmp_path):
    assert "there are: tone" in desk.here("label", "--task", "nope", "--in", "-", "--out", "-", code=None, text="").stderr
    one = write(tmp_path / "one.jsonl", [{"text": "x", "label": "up"}])
    assert "two at least" in desk.here("train", "--task", "t", "--in", one, code=None).stderr
    assert "lower-case" in desk.here("train", "--task", "Bad Name", "--in", one, code=None).stderr
    assert "heng init" in desk.run("label", "--task", "tone", "--in", "-", "--out", "-", "--dir", tmp_path / "none", code=None, text="").stderr
    assert "no encoder stage" in desk.here("label", "--task", "tone", "--tier", "encoder", "--in", "-", "--out", "-", code=None, text='{"id":1,"text":"x"}\n').stderr
    broken = desk.folder / "data/tasks/broken.task"
    broken.write_bytes((desk.folder / "data/tasks/tone.task").read_bytes()[:-9])
    assert "checksum" in desk.here("label", "--task", "broken", "--in", "-", "--out", "-", code=None, text='{"id":1,"text":"x"}\n').stderr
    broken.unlink()


def test_contradictions_are_reported(desk, tmp_path):
    data = write(tmp_path / "rows.jsonl", [*rows(40), {"text": "same", "label": "up"}, {"text": "same", "label": "down"}, {"text": "alone", "label": "odd"}])
    notes = " ".join(desk.json("train", "--task", "odd", "--in", data, "--linear-only")[0]["notes"])
    assert "contradictory" in notes and "same: down up" in notes and '"odd" has a single row' in notes


def test_a_killed_run_goes_on_without_loss_or_duplication(desk, tmp_path):
    count = 400_000
    given = write(tmp_path / "in.jsonl", rows(count))
    command = [BIN / "heng", "label", "--task", "tone", "--in", given, "--out", tmp_path / "out.jsonl", "--dir", desk.folder]
    kills = 0
    for _ in range(6):
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL, env={**os.environ, "HENG_LANG": "en"})
        time.sleep(0.4)
        if running.poll() is None:
            running.send_signal(signal.SIGKILL)
            kills += 1
        running.wait()
        if not (tmp_path / "out.jsonl.progress").exists():
            break
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HENG_LANG": "en"})
    assert done.returncode == 0, done.stderr
    assert kills > 0
    out = (tmp_path / "out.jsonl").read_text().splitlines()
    assert len(out) == count
    assert all(json.loads(line)["id"] == i for i, line in enumerate(out))


def test_tasks(desk):
    names = [task["name"] for task in desk.json("tasks", "list")]
    assert "tone" in names and "entities" in names
    assert "company, security" in desk.here("tasks", "show", "entities").stdout
    shown = desk.json("tasks", "show", "tone")[0]
    assert shown["labels"] == ["down", "up"] and shown["details"]["report"]["stages"]


def test_encoder_stage(desk, tmp_path):
    data = write(tmp_path / "rows.jsonl", rows(60))
    report = desk.json("train", "--task", "deep", "--in", data)[0]
    if report["task"]["tiers"] == ["linear"]:
        pytest.skip("no embedding model on this machine")
    assert report["task"]["tiers"] == ["linear", "encoder", "fused"] and report["cascade"]["steps"][0]["tier"] == "linear"
    for tier in ("encoder", "fused", "auto"):
        out = desk.here("label", "--task", "deep", "--tier", tier, "--in", "-", "--out", "-", text='{"id":1,"text":"profit rose sharply again"}\n').stdout
        assert json.loads(out)["label"] == "up"


def test_a_described_task_needs_no_rows(desk, tmp_path):
    assert "two at least" in desk.here("tasks", "add", "stance", "--description", "x", "--label", "one", code=None).stderr
    desk.here("tasks", "add", "tone-by-model", "--description", "Is the news good or bad for the company's shares?", "--label", "good", "--label", "bad")
    out = desk.here("label", "--task", "tone-by-model", "--in", "-", "--out", "-",
                    text='{"id":1,"text":"The company went bankrupt after a fraud."}\n{"id":2,"text":"Record profit, the dividend is doubled."}\n').stdout
    first, second = [json.loads(line) for line in out.splitlines()]
    assert first["tier"] == "model" and abs(sum(first["scores"].values()) - 1) < 0.001
    assert second["scores"]["good"] > first["scores"]["good"]


def test_a_task_over_pairs(desk, tmp_path):
    pairs = []
    for i in range(60):
        a, b = f"公司{i * 37 % 97}", f"集团{i * 53 % 89}"
        for head, tail, label in ((a, b, "收购"), (b, a, "被收购")):
            pairs.append({"text": f"{a}昨日宣布收购{b}的全部股份", "head": head, "tail": tail, "label": label})
    bad = [{"text": "没有名字", "head": "甲", "tail": "乙", "label": "收购"}, {"text": "只有文本", "label": "收购"}]
    report = desk.json("train", "--task", "relations", "--in", write(tmp_path / "rows.jsonl", pairs + bad), "--linear-only")[0]
    assert report["task"]["input"] == "pair" and report["stages"][0]["accuracy"] > 0.98 and "2 rows were left out" in " ".join(report["notes"])
    text = "新公司昨日宣布收购老集团的全部股份"
    given = write(tmp_path / "in.jsonl", [{"id": 1, "text": text, "head": "新公司", "tail": "老集团"}, {"id": 2, "text": text, "head": "老集团", "tail": "新公司"}, {"id": 3, "text": text},
                                          {"id": 4, "text": text, "head": "别家", "tail": "新公司"}, {"id": 5, "text": text, "head": 7, "tail": "新公司"}])
    desk.here("label", "--task", "relations", "--in", given, "--out", tmp_path / "out.jsonl")
    out = lines(tmp_path / "out.jsonl")
    assert [o.get("label") for o in out] == ["收购", "被收购", None, None, None]
    assert "head" in out[2]["error"]["message"] and "别家" in out[3]["error"]["message"] and "not a string" in out[4]["error"]["message"]
    plain = write(tmp_path / "plain.jsonl", [{"id": 1, "text": "x", "head": "x", "tail": "y"}])
    desk.here("label", "--task", "tone", "--in", plain, "--out", tmp_path / "plain.out")
    assert "alone" in lines(tmp_path / "plain.out")[0]["error"]["message"]


def test_the_model_stage_is_measured_and_can_be_forced(desk, tmp_path):
    report = desk.json("train", "--task", "three", "--in", write(tmp_path / "rows.jsonl", rows(80)), "--model", "--model-rows", "20")[0]
    if "model" not in report["task"]["tiers"]:
        pytest.skip("no chat model on this machine")
    assert report["stages"][-1]["stage"] == "model" and report["stages"][-1]["rows"] == 20 and "model" in report["seconds"]
    note = next(n for n in report["notes"] if "model stage" in n)
    assert "does without it" in note and "model" not in report["task"]["automatic"]   # the linear stage makes no mistake here
    out = desk.here("label", "--task", "three", "--tier", "model", "--in", "-", "--out", "-", text='{"id":1,"text":"profit rose sharply again"}\n').stdout
    assert json.loads(out)["tier"] == "model" and json.loads(out)["label"] == "up"
