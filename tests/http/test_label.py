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
    assert [task["name"] for task in tasks] == ["tone"] and tasks[0]["labels"] == ["down", "up"]
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
                                                ({"task": "tone", "texts": ["x"], "tier": "encoder"}, 409, "no encoder stage")])
def test_refusals(reading, body, status, says):
    answer = reading.call("POST", "/v1/label", json=body)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["error"]["message"]


def test_needs_a_key(reading):
    assert requests.post(reading.url + "/v1/label", json={"task": "tone", "texts": ["x"]}).status_code == 401
