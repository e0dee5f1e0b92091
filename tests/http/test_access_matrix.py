"""The matrix of test_access.py through every channel: search, chat, ask, cache, audit and export, with a model that has been turned.

The model stands outside the program, sees what it is sent and says all of it again: whatever reaches it, leaks. So the tests look at both ends: what the
program gave the model, and what the caller got."""
import http.server
import json
import re
import threading
import time

import pytest
import requests

from conftest import Server, eventually
from test_access import canary, fill, fits, name, own_words

QUESTION = "What is the quarterly canary of this paper?"
CANARY = re.compile(r"[0-9a-f]{12}")


class TurnedModel(http.server.ThreadingHTTPServer):
    """Speaks OpenAI's protocol; answers with every canary of its prompt."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.prompts = []
        self.url = f"http://127.0.0.1:{self.server_port}/v1"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take(self):
        seen, self.prompts = "\n".join(self.prompts), []
        return seen


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        prompt = self.rfile.read(int(self.headers["content-length"])).decode()
        self.server.prompts.append(prompt)
        said = " ".join(f"The quarterly canary of this paper is {c} [1]." for c in dict.fromkeys(CANARY.findall(prompt)) if len(c) == 12) or "Nothing."
        chunks = [{"choices": [{"index": 0, "delta": {"role": "assistant", "content": said}}]}, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
                  {"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 10}}]
        body = "".join(f"data: {json.dumps(c)}\n\n" for c in chunks) + "data: [DONE]\n\n"
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def turned(tmp_path_factory):
    model = TurnedModel()
    server = Server(tmp_path_factory.mktemp("heng") / "matrix")
    file = server.folder / "heng.toml"
    text = file.read_text()
    assert 'chat = "' in text
    file.write_text(re.sub(r'^chat = ".*"', 'chat = "turned"', text, flags=re.M) + f'\n[[remote]]\nname = "turned"\nurl = "{model.url}"\n')
    server.start(ready=False)
    admins, keys, documents, _ = fill(server)
    auditors = {}
    for tenant, admin in admins.items():
        made = server.call("POST", "/v1/keys", admin, json={"user": "auditor", "roles": ["auditor"], "clearance": "C3"})
        assert made.status_code == 201, made.text
        auditors[tenant] = made.json()["secret"]
    ready = lambda admin: next(b for b in server.call("GET", "/v1/kb", admin).json()["knowledge_bases"] if b["name"] == "matrix")["chunks_without_vector"] == 0
    assert eventually(lambda: all(ready(a) for a in admins.values()), 300)
    yield server, model, admins, auditors, keys, documents
    server.stop()
    model.shutdown()


def sides(who, documents):
    allowed = {canary(d) for d in documents if fits(who, d)}
    return allowed, {canary(d) for d in documents} - allowed


def by_falling_rights(keys):
    """Those who may read most go first, so that whatever a cache keeps of them is there for the others."""
    return sorted(keys.items(), key=lambda item: item[0][3], reverse=True)


@pytest.mark.parametrize("mode", ["words", "meaning", "hybrid"])
def test_search(turned, mode):
    server, _, _, _, keys, documents = turned
    cells, leaks, missed = 0, [], []
    for who, key in by_falling_rights(keys):
        allowed, forbidden = sides(who, documents)
        found = server.call("POST", "/v1/kb/matrix/search", key, json={"query": QUESTION, "k": 100, "mode": mode})
        assert found.status_code == 200, found.text
        cells += len(documents)
        leaks += [(who, c) for c in forbidden if c in found.text]
        missed += [(who, c) for c in allowed if c not in found.text]
        # asking for one by a word that only it has finds it no better
        for document in documents[:: 7]:
            direct = server.call("POST", "/v1/kb/matrix/search", key, json={"query": own_words(document).split()[0], "k": 5, "mode": mode})
            leaks += [(who, c) for c in forbidden if c in direct.text]
            leaks += [(who, document) for r in direct.json()["results"] if r["doc"] == name(document) and not fits(who, document)]
    assert cells == 24 * 54
    assert not leaks, leaks[:5]
    assert not missed or mode == "meaning", missed[:5]


@pytest.mark.parametrize("stream", [False, True])
def test_ask(turned, stream):
    server, model, _, _, keys, documents = turned
    leaks, silent = [], []
    for who, key in by_falling_rights(keys):
        allowed, forbidden = sides(who, documents)
        model.take()
        answer = server.call("POST", "/v1/ask", key, json={"kb": "matrix", "question": QUESTION, "passages": 20, "stream": stream})
        assert answer.status_code == 200, answer.text
        given, got = set(CANARY.findall(model.take())), set(CANARY.findall(answer.text))
        leaks += [(who, "given to the model", c) for c in given & forbidden] + [(who, "answered", c) for c in got & forbidden]
        if not given & allowed or not got & allowed:
            silent.append((who, len(given), len(got)))
    assert not leaks, leaks[:5]
    assert not silent, silent[:5]


def test_chat_with_a_knowledge_base(turned):
    server, model, _, _, keys, documents = turned
    leaks, silent = [], []
    for who, key in by_falling_rights(keys):
        allowed, forbidden = sides(who, documents)
        model.take()
        answer = server.call("POST", "/v1/chat/completions", key, json={"model": "heng/kb:matrix", "messages": [{"role": "user", "content": QUESTION}]})
        assert answer.status_code == 200, answer.text
        given, got = set(CANARY.findall(model.take())), set(CANARY.findall(answer.text))
        leaks += [(who, "given to the model", c) for c in given & forbidden] + [(who, "answered", c) for c in got & forbidden]
        if not given & allowed:
            silent.append(who)
        # the knowledge base of another tenant is not there, whatever it is called
        models = {m["id"] for m in server.call("GET", "/v1/models", key).json()["data"]}
        assert "heng/kb:matrix" in models
    assert not leaks, leaks[:5]
    assert not silent, silent[:5]


def test_audit_and_export(turned):
    """Who may not read the ledger reads none of it; an auditor reads the own tenant's and no byte of another's."""
    server, _, admins, auditors, keys, documents = turned
    for who in (("default", "board", "loans", "C3"), ("shop", "board", "cards", "C3")):
        server.call("POST", "/v1/ask", keys[who], json={"kb": "matrix", "question": QUESTION})
    records = {tenant: server.call("GET", "/v1/audit?limit=1000", key).json()["records"] for tenant, key in auditors.items()}
    canaries = {tenant: {canary(d) for d in documents if d[0] == tenant} for tenant in auditors}
    exports = ("", "/proof", "/explain", "/explain?format=html", "/explain?format=text&lang=zh")
    for tenant, key in auditors.items():
        other = next(t for t in auditors if t != tenant)
        text = json.dumps(records[tenant])
        assert canaries[tenant] & set(CANARY.findall(text)), "the answers are on record"
        assert not canaries[other] & set(CANARY.findall(text))
        assert {r["tenant"] for r in records[tenant]} <= ({"default", ""} if tenant == "default" else {"shop"})
        foreign = [r["index"] for r in records[other] if r["tenant"] == other]
        assert len(foreign) > 50
        for index in foreign[:: max(1, len(foreign) // 40)]:
            for tail in exports:
                assert server.call("GET", f"/v1/audit/{index}{tail}", key).status_code == 404, (tenant, index, tail)
        answers = [r["index"] for r in records[tenant] if r.get("opened", {}).get("action") == "ask"]
        for index in answers[:3]:
            for tail in exports[2:]:
                page = server.call("GET", f"/v1/audit/{index}{tail}", key)
                assert page.status_code == 200 and not canaries[other] & set(CANARY.findall(page.text)), (tenant, index, tail)
    # an auditor's own clearance holds in the ledger too: what was said of a higher class is withheld, the record is not
    for clearance in ("C1", "C2"):
        key = server.call("POST", "/v1/keys", admins["default"], json={"user": f"auditor-{clearance}", "roles": ["auditor"], "clearance": clearance}).json()["secret"]
        above = {canary(d) for d in documents if d[3] > clearance}
        mine = server.call("GET", "/v1/audit?limit=1000", key).json()["records"]
        assert len(mine) >= len(records["default"]) and canaries["default"] & set(CANARY.findall(json.dumps(mine)))
        assert not above & set(CANARY.findall(json.dumps(mine)))
        held = [r["index"] for r in mine if r.get("closed", {}).get("withheld")]
        assert len(held) > 10
        for index in held[:: max(1, len(held) // 10)]:
            for tail in ("", "/explain", "/explain?format=html"):
                page = server.call("GET", f"/v1/audit/{index}{tail}", key)
                assert page.status_code == 200 and not above & set(CANARY.findall(page.text)), (clearance, index, tail)
    newest = records["default"][0]["index"]
    for who, key in keys.items():
        for path in ("/v1/audit", "/v1/audit/checkpoint", "/v1/monitor", *(f"/v1/audit/{newest}{tail}" for tail in exports)):
            assert server.call("GET", path, key).status_code == 403, (who, path)


def test_nobody_sees_records_of_nobody_but_who_runs_the_machine(turned):
    server, _, _, auditors, _, _ = turned
    time.sleep(1.1)  # of a flood of refusals fifty a second are recorded
    requests.get(server.url + "/v1/me", headers={"Authorization": "Bearer heng_" + "1" * 77}, timeout=30)
    mine = server.call("GET", "/v1/audit?limit=50", auditors["default"]).json()["records"]
    strangers = [r["index"] for r in mine if r["tenant"] == ""]
    assert strangers
    for tail in ("", "/proof", "/explain"):
        assert server.call("GET", f"/v1/audit/{strangers[0]}{tail}", auditors["default"]).status_code == 200
        assert server.call("GET", f"/v1/audit/{strangers[0]}{tail}", auditors["shop"]).status_code == 404
    assert all(r["tenant"] == "shop" for r in server.call("GET", "/v1/audit?limit=1000", auditors["shop"]).json()["records"])
