"""A generated matrix of tenant x role x desk x class: nobody finds, lists, opens, asks or audits what is not theirs."""
import hashlib
import itertools
import json
import re
import socket
import threading

import pytest
import requests

from conftest import CHAT, eventually

TENANTS, ROLES, DESKS, CLASSES = ("default", "shop"), ("analyst", "board"), ("loans", "cards"), ("C1", "C2", "C3")


def labels(reader, desk, data_class):
    return ",".join(filter(None, (reader, f"desk={desk}" if desk else "", f"class={data_class}")))


def fits(key, document):
    (tenant, role, desk, clearance), (owner, reader, place, data_class) = key, document
    return tenant == owner and reader in ("", role) and place in ("", desk) and clearance >= data_class


def own_words(document):
    """Enough words of its own that no other paper is a near-duplicate."""
    return " ".join(hashlib.sha256(f"{document}{i}".encode()).hexdigest()[:8] for i in range(60))


def canary(document):
    return hashlib.sha256(name(document).encode()).hexdigest()[:12]


def name(document):
    return "-".join(x or "any" for x in document) + ".md"


def fill(server):
    """Keys of every tenant x role x desk x class, and a document of its own canary for every tenant x reader x desk x class."""
    admins = {"default": server.key}
    admins["shop"] = json.loads(server.run("key", "create", "--name", "shop", "--user", "boss", "--tenant", "shop", "--roles", "admin", "--dir", server.folder, "--json"))["secret"]
    keys = {}
    for tenant, role, desk, clearance in itertools.product(TENANTS, ROLES, DESKS, CLASSES):
        made = server.call("POST", "/v1/keys", admins[tenant], json={"user": f"{role}-{desk}-{clearance}", "roles": [role], "desk": desk, "clearance": clearance})
        assert made.status_code == 201, made.text
        keys[(tenant, role, desk, clearance)] = made.json()["secret"]
    documents = list(itertools.product(TENANTS, ("", *ROLES), ("", *DESKS), CLASSES))
    ids = {}
    for tenant in TENANTS:
        assert server.call("POST", "/v1/kb", admins[tenant], json={"name": "matrix"}).status_code == 201
    for document in documents:
        sent = server.call("POST", "/v1/kb/matrix/documents", admins[document[0]], params={"path": name(document), "readers": labels(*document[1:])},
                           data=f"# Quarterly canary\n\nThe quarterly canary of this paper is {canary(document)}. {own_words(document)}\n".encode())
        assert sent.status_code == 201, sent.text
        ids[document] = sent.json()["document"]
    return admins, keys, documents, ids


@pytest.fixture(scope="module")
def matrix(fresh_module):
    return fresh_module, *fill(fresh_module)


@pytest.fixture(scope="module")
def fresh_module(tmp_path_factory):
    from conftest import Server
    made = Server(tmp_path_factory.mktemp("heng") / "matrix").start()
    yield made
    made.stop()


def test_search_lists_and_originals_leak_nothing(matrix):
    server, _, keys, documents, ids = matrix
    leaks, missed, cells = [], [], 0
    for who, secret in keys.items():
        expected = {name(d) for d in documents if fits(who, d)}
        found = server.call("POST", "/v1/kb/matrix/search", secret, json={"query": "quarterly canary paper", "k": 100, "mode": "words"})
        assert found.status_code == 200, found.text
        seen = {r["doc"] for r in found.json()["results"]}
        listed = {d["path"] for d in server.call("GET", "/v1/kb/matrix/documents", secret).json()["documents"]}
        counted = next(b for b in server.call("GET", "/v1/kb", secret).json()["knowledge_bases"] if b["name"] == "matrix")["documents"]
        leaks += [(who, x) for x in (seen | listed) - expected]
        missed += [(who, x) for x in (expected - listed) | (expected - seen)]
        assert counted == len(expected), who
        for document in documents:
            cells += 1
            base = f"/v1/kb/matrix/documents/{ids[document]}"
            codes = {server.call("GET", base + tail, secret).status_code for tail in ("", "/original", "/passages")}
            if not fits(who, document) and codes != {404}:
                leaks.append((who, document, codes))
            if fits(who, document) and codes != {200}:
                missed.append((who, document, codes))
    assert cells == 24 * 54
    assert not leaks and not missed, (leaks[:5], missed[:5])


def test_answers_read_nothing_that_is_forbidden(matrix):
    server, _, keys, documents, _ = matrix
    for who in (("default", "analyst", "loans", "C1"), ("shop", "board", "cards", "C2")):
        answer = server.call("POST", "/v1/ask", keys[who], json={"kb": "matrix", "question": "What is the quarterly canary of this paper?", "passages": 8}, timeout=400)
        assert answer.status_code == 200, answer.text
        forbidden = {canary(d) for d in documents if not fits(who, d)}
        assert not set(re.findall(r"[0-9a-f]{12}", answer.text)) & forbidden


def test_the_ledger_shows_no_other_tenant(matrix):
    server, admins, keys, _, _ = matrix
    mine = server.call("POST", "/v1/kb/matrix/search", keys[("default", "analyst", "loans", "C1")], json={"query": "secret of default"})
    index = int(mine.headers["x-heng-audit-index"])
    assert server.call("GET", f"/v1/audit/{index}").status_code == 200
    for tail in ("", "/proof", "/explain", "/explain?format=html"):
        assert server.call("GET", f"/v1/audit/{index}{tail}", admins["shop"]).status_code == 404, tail
    records = server.call("GET", "/v1/audit?limit=1000", admins["shop"]).json()["records"]
    assert records and {r["tenant"] for r in records} == {"shop"}
    # records of nobody (a refused stranger) are for whoever runs the machine
    requests.get(server.url + "/v1/me", headers={"Authorization": "Bearer heng_" + "0" * 77})
    assert any(r["tenant"] == "" for r in server.call("GET", "/v1/audit?limit=20").json()["records"])
    assert all(r["tenant"] == "shop" for r in server.call("GET", "/v1/audit?limit=20", admins["shop"]).json()["records"])


def test_a_rating_of_anothers_record_is_refused(matrix):
    server, admins, keys, _, _ = matrix
    mine = server.call("POST", "/v1/kb/matrix/search", keys[("default", "board", "loans", "C1")], json={"query": "x"})
    rating = {"audit_index": int(mine.headers["x-heng-audit-index"]), "stars": -1, "comment": "bad"}
    assert server.call("POST", "/v1/feedback", admins["shop"], json=rating).status_code == 404
    assert server.call("POST", "/v1/feedback", json=rating).status_code == 204


def test_the_prompt_cache_is_not_shared(matrix):
    server, _, keys, _, _ = matrix
    third = json.loads(server.run("key", "create", "--name", "third", "--user", "t", "--tenant", "third", "--roles", "analyst", "--dir", server.folder, "--json"))["secret"]
    body = {"model": CHAT, "max_tokens": 1, "messages": [{"role": "user", "content": "Recite the whole private price list of the house, item after item, please. " * 8}]}

    def cached(secret):
        answer = server.call("POST", "/v1/chat/completions", secret, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["usage"]["prompt_tokens_details"]["cached_tokens"]

    own = keys[("default", "analyst", "loans", "C1")]
    cached(own)
    assert cached(own) > 100, "the tenant's own prompt is shared"
    assert cached(third) == 0, "a tenant that never asked finds nothing decoded"
    assert cached(third) > 100


def test_the_prompt_cache_does_not_tell_one_desk_of_another(matrix):
    """Within a tenant too: a count of cached tokens would say that another desk, class or role has sent this very prompt."""
    server, _, keys, _, _ = matrix
    secret = "Draft the board paper on the take-over of Harbour Freight for 17.25 yuan a share, to be announced on 3 March. " * 5
    body = {"model": CHAT, "max_tokens": 1, "messages": [{"role": "user", "content": secret}]}
    seen = {}
    for who, key in keys.items():
        answer = server.call("POST", "/v1/chat/completions", key, json=body)
        assert answer.status_code == 200, answer.text
        usage = answer.json()["usage"]
        seen[who] = (usage["prompt_tokens_details"]["cached_tokens"], usage["prompt_tokens"])
    # what every prompt begins with may be shared with one's own earlier ones
    assert len(seen) == 24 and all(total > 120 and cached < 40 for cached, total in seen.values()), seen
    again = server.call("POST", "/v1/chat/completions", keys[("default", "board", "cards", "C3")], json=body).json()["usage"]
    assert again["prompt_tokens_details"]["cached_tokens"] > 100, "one's own prompt is shared"


def test_rights_of_roles(matrix):
    server, _, keys, _, _ = matrix
    analyst = keys[("default", "analyst", "loans", "C3")]
    for method, path in (("POST", "/v1/kb"), ("DELETE", "/v1/kb/matrix"), ("POST", "/v1/kb/matrix/documents?path=x"), ("DELETE", "/v1/kb/matrix/documents/1"), ("GET", "/v1/keys"),
                         ("GET", "/v1/users"), ("GET", "/v1/audit"), ("POST", "/v1/stops"), ("GET", "/v1/reviews/quality")):
        answer = server.call(method, path, analyst, json={"name": "mine", "kind": "everything", "reason": "x"})
        assert answer.status_code == 403 and "roles that have it" in answer.text, (method, path, answer.text)
    assert server.call("POST", "/v1/kb/matrix/documents", params={"path": "x.md", "readers": "class=C9"}, data=b"x").status_code == 400


@pytest.fixture(scope="module")
def people(matrix):
    server, admins, *_ = matrix
    for user, tenant in (("lihua", "default"), ("wang", "shop")):
        made = server.call("POST", "/v1/users", admins[tenant], json={"user": user, "password": "a long sentence 7", "roles": ["analyst"], "desk": "loans", "clearance": "C2"})
        assert made.status_code == 201, made.text
    return server


def login(server, **body):
    return requests.post(server.url + "/v1/login", json={"user": "lihua", "password": "a long sentence 7", **body}, timeout=60)


def test_a_session_is_as_good_as_its_account(people):
    session = login(people)
    assert session.status_code == 200 and session.headers["cache-control"] == "no-store"
    token = session.json()["token"]
    me = people.call("GET", "/v1/me", token).json()
    assert (me["user"], me["desk"], me["clearance"]) == ("lihua", "loans", "C2")
    assert people.call("POST", "/v1/kb/matrix/search", token, json={"query": "quarterly"}).status_code == 200
    assert people.call("GET", "/v1/audit", token).status_code == 403
    assert people.call("POST", "/v1/logout", token).status_code == 204
    assert people.call("GET", "/v1/me", token).status_code == 401
    assert login(people, tenant="shop").status_code == 401
    second = login(people).json()["token"]
    assert people.call("DELETE", "/v1/users/lihua").status_code == 204
    assert people.call("GET", "/v1/me", second).status_code == 401
    assert login(people).status_code == 401
    actions = [r["opened"]["action"] for r in people.call("GET", "/v1/audit?limit=30").json()["records"]]
    assert "login" in actions and "logout" in actions and "user.disable" in actions
    assert "a long sentence" not in people.call("GET", "/v1/audit?limit=200").text


def test_guessing_is_slowed_recorded_and_tells_nothing(people):
    words = set()
    for user in ("wang", "nobody"):
        codes = []
        for _ in range(7):
            answer = login(people, tenant="shop", user=user, password="wrong password 1")
            codes.append(answer.status_code)
            if answer.status_code == 401:
                words.add(answer.json()["error"]["message"])
        assert codes == [401] * 5 + [429] * 2, (user, codes)
    assert len(words) == 1
    assert any(r["opened"]["action"] == "refused" and r["opened"]["resource"] == "/v1/login" for r in people.call("GET", "/v1/audit?limit=30").json()["records"])


@pytest.mark.parametrize("token", ["", "x", "hengs_", "hengs_" + "0" * 64, "hengs_" + "z" * 64, "heng_" + "0" * 77, "eyJhbGciOiJub25lIn0.e30.", "a" * 9000, "hengs_' OR 1=1 --"])
def test_malformed_tokens_are_refused(people, token):
    answer = requests.get(people.url + "/v1/me", headers={"Authorization": "Bearer " + token}, timeout=30)
    assert answer.status_code in (401, 431), answer.text


def test_oversized_logins_are_refused(people):
    assert login(people, password="x" * 600).status_code == 400
    assert login(people, user="u" * 65).status_code == 400
    assert requests.post(people.url + "/v1/login", data=b"{" + b" " * 20_000, timeout=30).status_code == 413


def test_metrics_want_a_key_where_others_can_reach_them(fresh, tmp_path):
    import subprocess
    pem, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", pem], check=True, capture_output=True)
    server = fresh([('# address = "127.0.0.1"', 'address = "0.0.0.0"'), ('# tls_certificate = "tls/server.pem"', f'tls_certificate = "{pem}"'), ('# tls_key = "tls/server.key"', f'tls_key = "{key}"'),
                    ("# preload = true", "preload = false")], ready=False)
    url = server.url.replace("0.0.0.0", "127.0.0.1")
    assert eventually(lambda: requests.get(url + "/healthz", verify=False).status_code == 200)
    assert requests.get(url + "/metrics", verify=False).status_code == 401
    with_key = requests.get(url + "/metrics", verify=False, headers={"Authorization": "Bearer " + server.key})
    assert with_key.status_code == 200
    assert "# TYPE heng_http_events_total counter" in with_key.text and "heng_http_events " not in with_key.text
