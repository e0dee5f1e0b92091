"""Heng's own routes, over the real program."""
import gzip
import json
import re

import requests

from conftest import eventually


def events(response):
    """Server-sent events as (name, data) pairs."""
    name, out = "", []
    response.encoding = "utf-8"  # the standard's; requests would take Latin-1 and cut lines inside characters
    for raw in response.iter_lines():  # bytes: text would also be split at U+2028 and its like
        line = raw.decode()
        if line.startswith("event: "):
            name = line[7:]
        elif line.startswith("data: "):
            out.append((name, json.loads(line[6:])))
    return out


def test_health_readiness_metrics(server):
    assert requests.get(server.url + "/healthz").json() == {"status": "ok"}
    ready = requests.get(server.url + "/readyz").json()
    assert ready["ready"] and set(ready["checks"]) >= {"models", "store", "ledger"}
    text = requests.get(server.url + "/metrics").text
    for name in ("heng_http_requests_total", "heng_http_request_seconds_bucket", "heng_ledger_records", "heng_kv_cells", "heng_ingested_documents_total"):
        assert name in text


def test_me(server):
    me = server.call("GET", "/v1/me").json()
    assert "admin" in me["roles"] and me["key_id"] and server.key.split("_")[-1] not in json.dumps(me)


def test_search(server):
    for mode in ("hybrid", "words", "meaning"):
        found = server.call("POST", "/v1/kb/fees/search", json={"query": "foreign transaction fee", "k": 3, "mode": mode})
        assert found.status_code == 200, found.text
        assert "1.5 percent" in found.json()["results"][0]["text"], mode
    assert int(found.headers["x-heng-audit-index"]) >= 0
    assert "取现" in server.call("POST", "/v1/kb/fees/search", json={"query": "取现手续费"}).json()["results"][0]["text"]
    assert server.call("POST", "/v1/kb/none/search", json={"query": "x"}).status_code == 404


def test_ask_whole_and_streamed(server):
    body = {"kb": "fees", "question": "What is the fee for foreign transactions?"}
    answer = server.call("POST", "/v1/ask", json=body).json()
    assert "1.5" in answer["answer"] and answer["citations"][0]["quote"] and not answer["abstained"]
    assert answer["audit_index"] >= 0 and {t["stage"] for t in answer["timings"]}
    streamed = events(server.call("POST", "/v1/ask", json={**body, "stream": True}, stream=True))
    names = [name for name, _ in streamed]
    assert names[-1] == "answer" and "passages" in names and "stage" in names
    released = [data["sentence"]["text"] for name, data in streamed if name == "sentence"]
    assert all(text in streamed[-1][1]["answer"] for text in released)


def test_abstains(server):
    answer = server.call("POST", "/v1/ask", json={"kb": "fees", "question": "How many employees does the bank have in Brazil?"}).json()
    assert answer["abstained"] and answer["verdict"] == "abstained" and answer["answer"]


def test_document_life(server):
    assert server.call("POST", "/v1/kb", json={"name": "life", "language": "en"}).status_code == 201
    assert server.call("POST", "/v1/kb", json={"name": "life"}).status_code == 409
    sent = server.call("POST", "/v1/kb/life/documents", params={"path": "a.txt", "readers": ""}, data=b"The limit is 5,000 yuan.")
    assert sent.status_code == 201
    again = server.call("POST", "/v1/kb/life/documents", params={"path": "a.txt"}, data=b"The limit is 5,000 yuan.")
    assert again.status_code == 200 and again.json()["outcome"] == "unchanged"
    form = server.call("POST", "/v1/kb/life/documents", files={"file": ("表.csv", "产品,费率\n存款,1.5%\n".encode(), "text/csv")})
    assert form.status_code == 201 and form.json()["path"] == "表.csv"
    broken = server.call("POST", "/v1/kb/life/documents", params={"path": "b.pdf"}, data=b"%PDF-1.7 not really")
    assert broken.json()["outcome"] == "failed" and broken.json()["error"]["message"]
    documents = server.call("GET", "/v1/kb/life/documents").json()["documents"]
    identity = next(d["id"] for d in documents if d["path"] == "a.txt")
    one = f"/v1/kb/life/documents/{identity}"
    original = server.call("GET", one + "/original")
    assert original.content == b"The limit is 5,000 yuan." and "sandbox" in original.headers["content-security-policy"]
    assert "5,000" in server.call("GET", one + "/passages").json()["passages"][0]["text"]
    assert server.call("DELETE", one).status_code == 204 and server.call("GET", one).status_code == 404
    assert server.call("DELETE", "/v1/kb/life").status_code == 204
    assert server.call("GET", "/v1/kb/life/documents").status_code == 404


def test_readers_do_not_see_what_is_not_theirs(server):
    server.call("POST", "/v1/kb", json={"name": "secret"})
    sent = server.call("POST", "/v1/kb/secret/documents", params={"path": "board.txt", "readers": "board"}, data=b"The board plans a merger with Harbour Bank.")
    identity = sent.json()["document"]
    analyst = server.new_key(roles=["analyst"])["secret"]
    board = server.new_key(roles=["board"])["secret"]
    found = {key: server.call("POST", "/v1/kb/secret/search", key=key, json={"query": "merger"}) for key in (analyst, board)}
    assert not (found[analyst].status_code == 200 and found[analyst].json()["results"])
    assert found[board].json()["results"]
    assert server.call("GET", f"/v1/kb/secret/documents/{identity}/original", key=analyst).status_code == 404
    assert server.call("GET", f"/v1/kb/secret/documents/{identity}/original", key=board).status_code == 200


def test_audit_and_feedback(server):
    asked = server.call("POST", "/v1/kb/fees/search", json={"query": "annual fee"})
    index = int(asked.headers["x-heng-audit-index"])
    record = server.call("GET", f"/v1/audit/{index}")
    assert record.status_code == 200 and "annual fee" in record.text
    assert server.call("GET", "/v1/audit", params={"limit": 5}).json()["records"]
    proof = server.call("GET", f"/v1/audit/{index}/proof")
    assert proof.status_code == 200, proof.text
    assert "heng" in server.call("GET", "/v1/audit/checkpoint").text
    assert server.call("POST", "/v1/feedback", json={"audit_index": index, "stars": 1, "comment": "right"}).status_code == 204
    analyst = server.new_key(roles=["analyst"])["secret"]
    assert server.call("GET", "/v1/audit", key=analyst).status_code == 403
    assert server.call("GET", f"/v1/audit/{index}", key=analyst).status_code == 403


def test_refusals_are_recorded(server):
    before = server.metric("heng_ledger_records")
    assert requests.get(server.url + "/v1/me", headers={"Authorization": "Bearer heng_a_b"}).status_code == 401
    assert server.metric("heng_ledger_records") > before
    assert "refused" in server.call("GET", "/v1/audit", params={"limit": 3}).text


def test_keys_and_quotas(server):
    made = server.new_key(name="small", quota={"requests_per_minute": 2})
    codes = [server.call("POST", "/v1/kb/fees/search", key=made["secret"], json={"query": "fee"}) for _ in range(3)]
    assert [c.status_code for c in codes] == [200, 200, 429]
    assert int(codes[2].headers["retry-after"]) > 0 and codes[2].json()["error"]["type"] == "rate_limit_error"
    assert server.call("GET", "/v1/keys", key=made["secret"]).status_code == 403
    assert server.call("DELETE", f"/v1/keys/{made['id']}").status_code == 204
    assert server.call("GET", "/v1/me", key=made["secret"]).status_code == 401
    expiring = server.new_key(name="brief", expires_in_s=1)["secret"]
    assert server.call("GET", "/v1/me", key=expiring).status_code == 200
    assert eventually(lambda: server.call("GET", "/v1/me", key=expiring).status_code == 401, 10)


def test_no_contents_in_the_log(server):
    server.call("POST", "/v1/ask", json={"kb": "fees", "question": "Does ZEBRA4711 have an annual fee?"})
    log = server.logged()
    assert "http_request" in log and "ZEBRA4711" not in log and server.key not in log and "Harbour Classic" not in log


def test_extract(server):
    body = {"task": "entities", "items": [{"id": "a", "text": "茅台（600519）作价3.5亿元"}, "", {"id": 7, "text": "Kweichow Moutai"}]}
    answer = server.call("POST", "/v1/extract", json=body)
    assert answer.status_code == 200, answer.text
    first, second, third = answer.json()["results"]
    assert first["id"] == "a" and [e["type"] for e in first["entities"]] == ["company", "security", "amount"]
    assert first["entities"][0]["id"] == first["entities"][1]["id"] == "600519.SH" and first["entities"][2]["value"] == "350000000 CNY"
    assert second["error"]["code"] == "invalid_argument"
    assert third["id"] == 7 and third["entities"][0] == {"type": "company", "word": "Kweichow Moutai", "span": [0, 15], "id": "600519.SH", "name": "贵州茅台"}
    assert int(answer.headers["x-heng-audit-index"]) >= 0
    missing = server.call("POST", "/v1/extract", json={"task": "nosuch", "items": ["x"]})
    assert missing.status_code == 404 and "entities" in missing.json()["error"]["message"]
    for bad in ({"task": "entities"}, {"task": "entities", "items": []}, {"task": "entities", "items": [3]}, {"items": ["x"]}, {"task": "entities", "items": [{"id": 1}]}):
        assert server.call("POST", "/v1/extract", json=bad).status_code == 400, bad


def test_the_console_is_sent_compressed_to_who_takes_it(server):
    plain = requests.get(server.url + "/", headers={"Accept-Encoding": "identity"}, timeout=30)
    assert plain.status_code == 200 and "content-encoding" not in plain.headers and plain.headers["vary"] == "accept-encoding"
    script = re.search(r'src="(/assets/[^"]+\.js)"', plain.text).group(1)
    forms = {}
    for encoding in ("gzip", "br, gzip;q=0.5", "*", "identity", "gzip;q=0", "br", "*;q=0.0"):
        answer = requests.get(server.url + script, headers={"Accept-Encoding": encoding}, stream=True, timeout=30)
        raw = answer.raw.read(decode_content=False)
        packed = encoding in ("gzip", "br, gzip;q=0.5", "*")
        assert (answer.headers.get("content-encoding") == "gzip") is packed, encoding
        forms[packed] = (gzip.decompress(raw) if packed else raw, answer.headers["etag"], len(raw))
        again = requests.get(server.url + script, headers={"Accept-Encoding": encoding, "If-None-Match": answer.headers["etag"]}, timeout=30)
        assert again.status_code == 304 and not again.content
    assert forms[True][0] == forms[False][0] and forms[True][1] != forms[False][1] and forms[True][2] < forms[False][2] / 2
