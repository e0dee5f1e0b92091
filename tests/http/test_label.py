"""/v1/label and /v1/tasks over the real program."""
import json

import pytest
import requests

from conftest import Server


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    folder = tmp_path_factory.mktemp("label") / "bank"
    server = Server(folder)
    rows = folder / "rows.jsonl"
    words = {"up": ["profit rose", "股价涨停"], "down": ["profit fell", "股价跌停"]}
    rows.write_text("".join(json.dumps({"text": f"{words[label][i % 2]} {i}", "label": label}) + "\n" for i in range(40) for label in words))
    Server.run("train", "--task", "tone", "--in", rows, "--linear-only", "--dir", folder)
    server.start()
    yield server
    server.stop()


def test_tasks_and_labels(reading):
    tasks = reading.call("GET", "/v1/tasks").json()["tasks"]
    assert [(task["name"], task["kind"], task["input"]) for task in tasks] == [("tone", "label", "text"), ("entities", "events", "text")] and tasks[0]["labels"] == ["down", "up"]
    answer = reading.call("POST", "/v1/label", json={"task": "tone", "texts": ["profit rose again", {"id": "b", "text": "又跌停"}, ""], "evidence": True})
    assert answer.status_code == 200, answer.text
    first, second, third = answer.json()["results"]
    assert first["label"] == "up" and first["tier"] == "linear" and first["evidence"]
    assert second["label"] == "down" and second["id"] == "b"
    assert third["error"]["code"] == "invalid_argument"
    record = reading.call("GET", f"/v1/audit/{answer.json()['audit_index']}").json()
    assert "label" in json.dumps(record) and "profit rose" not in json.dumps(record)


@pytest.mark.parametrize("body, status, says", [({"task": "nope", "texts": ["x"]}, 404, "there are: tone"), ({"task": "tone", "texts": []}, 400, "texts"),
                                                ({"task": "tone", "texts": ["x"], "tier": "magic"}, 400, "tier"), ({"task": "tone", "texts": [3]}, 400, "texts[0]"),
                                                ({"task": "tone", "texts": [{"text": "x", "head": "a", "entity": "b"}]}, 400, "one of them"),
                                                ({"task": "tone", "texts": ["x"], "tier": "encoder"}, 409, "no encoder stage")])
def test_refusals(reading, body, status, says):
    answer = reading.call("POST", "/v1/label", json=body)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["error"]["message"]


def test_needs_a_key(reading):
    assert requests.post(reading.url + "/v1/label", json={"task": "tone", "texts": ["x"]}).status_code == 401


def test_tone_towards_each_company(tmp_path):
    server = Server(tmp_path / "bank")
    rows = server.folder / "rows.jsonl"
    with rows.open("w") as out:
        for i in range(60):   # which of the two it is about is told by the place of its name only
            good, bad = f"公司{i * 37 % 97}", f"集团{i * 53 % 89}"
            for entity, label in ((good, "positive"), (bad, "negative")):
                out.write(json.dumps({"text": f"{good}净利润大增，{bad}巨额亏损。", "entity": entity, "label": label}, ensure_ascii=False) + "\n")
    Server.run("train", "--task", "company-tone", "--in", rows, "--linear-only", "--dir", server.folder)
    server.start(ready=False)
    try:
        task = next(t for t in server.call("GET", "/v1/tasks").json()["tasks"] if t["name"] == "company-tone")
        assert task["input"] == "entity"
        text = "贵州茅台净利润大增，宁德时代巨额亏损。"
        asked = server.call("POST", "/v1/label", json={"task": "company-tone", "texts": [{"text": text, "entity": "贵州茅台"}, {"text": text, "entity": "宁德时代"}, text, {"text": text, "entity": "平安银行"}],
                                                       "evidence": True}).json()["results"]
        assert [r.get("label") for r in asked] == ["positive", "negative", None, None]
        assert "missing" in asked[2]["error"]["message"] and "平安银行" in asked[3]["error"]["message"]
        assert all(e["end"] <= len(text) for r in asked[:2] for e in r["evidence"])
        found = server.call("POST", "/v1/extract", json={"task": "company-tone", "items": [text]}).json()["results"][0]["entities"]
        assert {e["word"]: e["label"] for e in found} == {"贵州茅台": "positive", "宁德时代": "negative"}
        assert {e["id"] for e in found} == {"600519.SH", "300750.SZ"} and all(0 < e["confidence"] <= 1 for e in found)
    finally:
        assert server.stop() == 0
