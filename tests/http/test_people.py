"""Reviews and stops over HTTP: who may do what, between tenants, and while an answer is being written."""
import hashlib
import json
import threading
import time

import pytest
import requests

from conftest import eventually

CHAT = "qwen2.5-coder-0.5b-instruct"


def submit(server, secret, text="{\"tool\":\"transfer\",\"amount\":\"100.00\"}", **more):
    return server.call("POST", "/v1/reviews", secret, json={"proposed": text, "question": "pay", "evidence": [{"text": "invoice 7"}], **more})


def test_the_queue_over_http(server):
    author, one, auditor = (server.new_key(user=u, roles=r)["secret"] for u, r in (("author", ["analyst"]), ("one", ["reviewer"]), ("aud", ["auditor"])))
    made = submit(server, author)
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    assert made.json()["text"] == ""
    assert server.call("GET", f"/v1/reviews/{number}", auditor).status_code == 404
    seen = server.call("GET", f"/v1/reviews/{number}", one).json()
    assert list(seen).index("evidence") < list(seen).index("text") < list(seen).index("reason")
    decide = lambda secret, **body: server.call("POST", f"/v1/reviews/{number}/decide", secret, json=body)
    for bad in ({}, {"decision": "yes", "sha256": seen["sha256"]}, {"decision": "approve"}, {"decision": "approve", "sha256": "x"},
                {"decision": "reject", "sha256": seen["sha256"]}):
        assert decide(one, **bad).status_code == 400, bad
    assert decide(author, decision="approve", sha256=seen["sha256"]).status_code == 403
    assert decide(one, decision="approve", sha256="0" * 64).status_code == 409
    assert decide(one, decision="approve", sha256=seen["sha256"]).json()["state"] == "approved"
    redeem = lambda secret, sha: server.call("POST", f"/v1/reviews/{number}/redeem", secret, json={"sha256": sha})
    assert redeem(one, seen["sha256"]).status_code == 404
    assert redeem(author, hashlib.sha256(b"{\"tool\":\"transfer\",\"amount\":\"1000000.00\"}").hexdigest()).status_code == 409
    assert redeem(author, seen["sha256"]).status_code == 200
    assert redeem(author, seen["sha256"]).status_code == 409
    assert [r["id"] for r in server.call("GET", "/v1/reviews", author).json()["reviews"]] == [number]
    assert server.call("GET", "/v1/reviews?state=nonsense", one).status_code == 400
    assert server.call("GET", "/v1/reviews/quality", one).status_code == 403
    assert server.call("GET", "/v1/reviews/quality").status_code == 200
    assert submit(server, one, planted="reject").status_code == 403


def test_many_reviewers_at_once_decide_once(server):
    author = server.new_key(user="race", roles=["analyst"])["secret"]
    people = [server.new_key(user=f"r{i}", roles=["reviewer"])["secret"] for i in range(8)]
    made = submit(server, author, "act").json()
    sha = hashlib.sha256(b"act").hexdigest()
    codes = []
    threads = [threading.Thread(target=lambda s=s: codes.append(server.call("POST", f"/v1/reviews/{made['id']}/decide", s, json={"decision": "approve", "sha256": sha}).status_code))
               for s in people]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(codes) == [200] + [409] * 7
    used = []
    threads = [threading.Thread(target=lambda: used.append(server.call("POST", f"/v1/reviews/{made['id']}/redeem", author, json={"sha256": sha}).status_code)) for _ in range(8)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert sorted(used) == [200] + [409] * 7


@pytest.fixture
def halted(server):
    """Presses, and lifts again with two people whatever happens."""
    second = server.new_key(user="lifter", roles=["admin"])["secret"]
    ids = []

    def press(**body):
        made = server.call("POST", "/v1/stops", json={"reason": "drill", **body})
        assert made.status_code == 201, made.text
        ids.append(made.json()["id"])
        return made.json()["id"]

    yield press
    for one in ids:
        server.call("POST", f"/v1/stops/{one}/resume", json={"reason": "over"})
        assert server.call("POST", f"/v1/stops/{one}/resume", second, json={"reason": "over"}).json()["halts"] is False


def test_a_stop_cuts_a_running_answer_between_tokens(server, halted):
    got = []
    body = {"model": CHAT, "messages": [{"role": "user", "content": "Count from 1 to 1000, one number a line."}], "max_tokens": 1500, "stream": True,
            "heng": {"grammar": 'root ::= ([0-9] "\\n")+'}}
    with requests.post(server.url + "/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {server.key}"}, stream=True, timeout=120) as stream:
        for line in stream.iter_lines(chunk_size=1):
            got.append(line)
            if len(got) == 20:
                pressed = time.monotonic()
                halted(kind="model", name=CHAT)
        ended = time.monotonic()
    assert ended - pressed < 2, "it wrote on"
    text = b"\n".join(got).decode()
    assert "policy_denied" in text and "drill" in text and "[DONE]" not in text
    assert server.call("POST", "/v1/chat/completions", json={**body, "stream": False, "max_tokens": 2}).status_code == 403


def test_everything_stops_and_the_way_back_stays_open(server, halted):
    user = server.new_key(roles=["analyst"])["secret"]
    assert server.call("POST", "/v1/stops", user, json={"kind": "everything", "reason": "x"}).status_code == 403
    halted(kind="everything")
    for path, body in (("/v1/chat/completions", {"model": CHAT, "messages": [{"role": "user", "content": "x"}]}), ("/v1/ask", {"kb": "fees", "question": "x"}),
                       ("/v1/embeddings", {"model": "multilingual-e5-small", "input": "x"}), ("/v1/kb/fees/search", {"query": "x"})):
        answer = server.call("POST", path, user, json=body)
        assert answer.status_code == 403 and "drill" in answer.text, (path, answer.text)
    assert server.call("GET", "/v1/audit").status_code == 200
    assert any(s["halts"] for s in server.call("GET", "/v1/stops").json()["stops"])


def test_after_the_drill_it_runs_again(server):
    assert eventually(lambda: server.call("POST", "/v1/kb/fees/search", json={"query": "fee"}).status_code == 200)
    assert server.call("GET", "/v1/stops").json()["stops"] == []


def test_a_stop_ends_a_request_that_still_reads_its_prompt(server, halted):
    import random
    words = random.Random(5)
    prompt = " ".join(f"{words.randrange(10_000)} yuan at branch {words.randrange(1000)};" for _ in range(270))
    body = {"model": CHAT, "messages": [{"role": "user", "content": prompt}], "max_tokens": 1}
    begun = time.monotonic()
    whole = server.call("POST", "/v1/chat/completions", json=body)
    full = time.monotonic() - begun
    assert whole.status_code == 200 and whole.json()["usage"]["prompt_tokens"] > 2500, whole.text
    # another text, so that nothing of it has been read yet
    body["messages"][0]["content"] = "B " + " ".join(f"{words.randrange(10_000)} yuan at branch {words.randrange(1000)};" for _ in range(270))
    got = []
    reading = threading.Thread(target=lambda: got.append((server.call("POST", "/v1/chat/completions", json=body), time.monotonic())))
    reading.start()
    time.sleep(min(1.0, full / 8))
    halted(kind="model", name=CHAT)
    pressed = time.monotonic()
    reading.join(120)
    answer, ended = got[0]
    assert answer.status_code == 403 and "drill" in answer.text, answer.text
    # one step of the model (512 tokens of some 3,400) is not interrupted
    assert ended - pressed < 0.25 + full / 3, f"{ended - pressed:.1f} s after the stop; reading all of it takes {full:.1f} s"


def test_an_unapproved_model_is_refused_over_http(fresh):
    server = fresh([("# [governance]\n# require_approved_models = false", "[governance]\nrequire_approved_models = true")])
    ready = requests.get(server.url + "/readyz", timeout=30)
    assert ready.status_code == 200 and any(CHAT in warning and "inventory" in warning for warning in ready.json()["warnings"]), ready.text
    for stream in (False, True):
        answer = server.call("POST", "/v1/chat/completions", json={"model": CHAT, "messages": [{"role": "user", "content": "x"}], "max_tokens": 2, "stream": stream})
        assert "policy_denied" in answer.text and "not in the inventory" in answer.text, answer.text
        assert stream or (answer.status_code == 403 and answer.json()["error"]["param"] == "model")
    assert server.call("POST", "/v1/embeddings", json={"model": "multilingual-e5-small", "input": "x"}).status_code == 200
