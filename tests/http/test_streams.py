"""Streams over HTTP: push, items, alerts, server-sent events, acknowledging, briefs; tenants apart."""
import json
import threading
import time

import pytest
import requests

from conftest import Server, eventually

RULES = """
[[watch]]
name = "贵州茅台"
code = "600519.SH"
aliases = ["茅台"]
[[rule]]
id = "loss"
severity = "high"
key = "company"
tenants = ["*"]
when = { watched = true, keywords = { any = ["亏损"] } }
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("heng") / "bank")
    (made.folder / "streams.toml").write_text(RULES)
    made.start(ready=False)
    yield made
    assert made.stop() == 0, made.logged()[-2000:]


def push(desk, items, name="news", **options):
    return desk.call("POST", f"/v1/streams/{name}", data="\n".join(json.dumps(i, ensure_ascii=False) for i in items).encode(), headers={"Content-Type": "application/x-ndjson"}, **options)


def test_push_counts_and_lists(desk):
    sent = push(desk, [{"id": "1", "text": "市场平稳运行", "published": "2026-01-01T00:00:00Z"}, {"id": "2", "text": "市场平稳运行"}, {"x": 1}])
    assert sent.status_code == 200, sent.text
    assert [sent.json()[k] for k in ("accepted", "duplicates", "rejected")] == [1, 1, 1]
    assert sent.json()["errors"][0]["index"] == 2
    assert desk.call("POST", "/v1/streams/news", json=[{"text": "另一条消息"}]).json()["accepted"] == 1
    item = desk.call("GET", "/v1/items", params={"stream": "news", "after": 0}).json()["items"][0]
    assert item["published"] == "2026-01-01T00:00:00.000Z" and item["event_time"] is None and item["ingested"] and item["copies"] == 1
    stream = desk.call("GET", "/v1/streams").json()["streams"][0]
    assert stream["name"] == "news" and stream["items"] == 2 and stream["rejected"] == 1


def test_wrong_pushes_say_why(desk):
    assert desk.call("POST", "/v1/streams/news", data=b"[1,").status_code == 400
    assert desk.call("POST", "/v1/streams/a.b", json=[{"text": "x"}]).status_code == 400
    assert desk.call("POST", "/v1/streams/news?task=no-such-task", json=[{"text": "一条新的消息"}]).status_code in (404, 503)
    assert desk.call("POST", "/v1/streams/news", json=[{"text": str(i)} for i in range(10001)]).status_code == 413
    assert requests.post(desk.url + "/v1/streams/news", json=[{"text": "x"}]).status_code == 401
    for path in ("/v1/items?limit=0", "/v1/items?from=someday", "/v1/alerts?state=x", "/v1/alerts/stream?after=x", "/v1/brief?format=pdf"):
        assert desk.call("GET", path).status_code == 400, path


def test_alerts_are_streamed_listed_and_acknowledged(desk):
    heard, ready = [], threading.Event()

    def listen():
        with desk.call("GET", "/v1/alerts/stream", stream=True, timeout=30) as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                ready.set()
                if line.startswith(b"data: "):
                    heard.append((json.loads(line[6:]), time.time()))
                    return

    listener = threading.Thread(target=listen)
    listener.start()
    assert ready.wait(10)
    sent = time.time()
    assert push(desk, [{"text": "茅台渠道出现亏损"}]).json()["alerts"] == 1
    listener.join(15)
    alert, at = heard[0]
    assert alert["rule"] == "loss" and alert["key"] == "贵州茅台" and alert["key_id"] == "600519.SH" and alert["state"] == "open"
    assert at - sent < 2
    again = desk.call("GET", "/v1/alerts/stream", params={"after": alert["id"] - 1}, stream=True)
    line = next(l for l in again.iter_lines() if l.startswith(b"data: "))
    again.close()
    assert json.loads(line[6:])["id"] == alert["id"]

    assert [a["id"] for a in desk.call("GET", "/v1/alerts", params={"key": "600519.SH"}).json()["alerts"]] == [alert["id"]]
    assert desk.call("POST", f"/v1/alerts/{alert['id']}/ack", json={}).status_code == 400
    done = desk.call("POST", f"/v1/alerts/{alert['id']}/ack", json={"note": "checked"})
    assert done.status_code == 200 and done.json()["note"] == "checked" and done.json()["acknowledged_by"]
    assert desk.call("POST", f"/v1/alerts/{alert['id']}/ack", json={"note": "again"}).status_code == 409
    assert desk.call("POST", "/v1/alerts/999/ack", json={"note": "x"}).status_code == 404
    assert desk.call("GET", "/v1/alerts", params={"state": "open"}).json()["alerts"] == []


def test_tenants_are_apart(desk):
    made = desk.run("key", "create", "--name", "other", "--user", "o", "--tenant", "other", "--roles", "analyst", "--dir", desk.folder, "--json")
    other = json.loads(made)["secret"]
    assert desk.call("GET", "/v1/streams", key=other).json()["streams"] == []
    assert push(desk, [{"text": "茅台渠道出现亏损"}], key=other).json()["accepted"] == 1
    mine = desk.call("GET", "/v1/alerts", key=other).json()["alerts"]
    assert len(mine) == 1
    assert all(a["id"] != mine[0]["id"] for a in desk.call("GET", "/v1/alerts").json()["alerts"])
    assert desk.call("POST", f"/v1/alerts/{mine[0]['id']}/ack", json={"note": "x"}).status_code == 404


def test_broken_rules_keep_the_old_ones(desk):
    (desk.folder / "streams.toml").write_text("[[rule]]\nid = 3\n")
    assert eventually(lambda: desk.call("GET", "/v1/alerts/rules").json()["error"])
    rules = desk.call("GET", "/v1/alerts/rules").json()
    assert [r["id"] for r in rules["rules"]] == ["loss"] and "line 2" in rules["error"]
    (desk.folder / "streams.toml").write_text(RULES)
    assert eventually(lambda: not desk.call("GET", "/v1/alerts/rules").json()["error"])


def test_brief(desk):
    answer = desk.call("GET", "/v1/brief", params={"company": "茅台", "lang": "en"})
    assert answer.status_code == 200, answer.text
    brief = answer.json()
    assert brief["headlines"][0]["sentence"] == brief["items"][brief["headlines"][0]["cites"] - 1]["text"]
    page = desk.call("GET", "/v1/brief", params={"format": "html"})
    assert page.headers["Content-Type"].startswith("text/html") and "<script" not in page.text
    assert desk.call("GET", "/v1/brief", params={"format": "text"}).headers["Content-Type"].startswith("text/plain")
