"""Odd and hostile clients against the real program."""
import concurrent.futures
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time

import pytest
import requests

from conftest import BIN, CHAT, Server, eventually


def connect(server):
    host, port = server.url.split("//")[1].split(":")
    return socket.create_connection((host, int(port)), timeout=30)


def chat(server, **fields):
    return {"model": CHAT, "messages": [{"role": "user", "content": "Count from one to five hundred in words."}], "max_tokens": 400, **fields}


def raw_post(server, path, body, key=None):
    return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key or server.key}\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


@pytest.mark.parametrize("stream", [True, False])
def test_a_vanished_client_cancels_decoding(server, stream):
    cancelled = 'heng_http_events_total{kind="cancelled"}'
    stopped = f'heng_model_events_total{{model="{CHAT}",state="cancelled"}}'
    before, model_before = server.metric(cancelled), server.metric(stopped)
    with connect(server) as client:
        client.sendall(raw_post(server, "/v1/chat/completions", json.dumps(chat(server, stream=stream)).encode()))
        if stream:
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        else:
            time.sleep(0.5)
    assert eventually(lambda: server.metric(cancelled) == before + 1)
    assert eventually(lambda: server.metric(stopped) == model_before + 1)
    assert eventually(lambda: server.metric(f'heng_model_queue{{model="{CHAT}",state="active"}}') == 0)


def test_bad_json_and_bytes(server):
    for body in (b"", b"{", b"[]", b"nul", b"[" * 1_000_000, b'{"model":"\xff"}', b'{"model":1e999}', b'{"a":1,"a":2}', b'"' + b"x" * 100_000):
        for path in ("/v1/chat/completions", "/v1/ask", "/v1/embeddings", "/v1/kb", "/v1/kb/fees/search", "/v1/keys", "/v1/feedback"):
            answer = server.call("POST", path, data=body)
            assert answer.status_code == 400 and answer.json()["error"]["message"], (path, body[:20])


def test_a_prompt_of_one_megabyte(server):
    long = server.call("POST", "/v1/chat/completions", json=chat(server, messages=[{"role": "user", "content": "x y " * 262_144}]))
    assert long.status_code == 413 and long.json()["error"]["code"] == "too_large"
    assert server.call("POST", "/v1/chat/completions", data=b"x" * (9 * 1024 * 1024)).status_code == 413
    assert server.call("POST", "/v1/ask", json={"kb": "fees", "question": "x" * 4001}).status_code == 400


def test_headers_and_methods(server):
    assert server.call("GET", "/v1/me", headers={"X-Long": "a" * 20_000}).status_code == 431
    wrong = server.call("PATCH", "/v1/kb")
    assert wrong.status_code == 405 and wrong.headers["allow"] == "GET, HEAD, POST, OPTIONS"
    assert requests.head(server.url + "/healthz").headers["content-length"] == "15"
    assert server.call("GET", "/v1/nothing").json()["error"]["code"] == "not_found"
    assert "access-control-allow-origin" not in server.call("GET", "/v1/me", headers={"Origin": "https://evil.example"}).headers
    for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/..%2f..%2fheng.toml", "/v1/kb/%00/documents"):
        with connect(server) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            answer = client.recv(65536)
            assert b"root:" not in answer and b"master" not in answer and not answer.startswith(b"HTTP/1.1 5"), path


def test_a_large_upload_with_a_wrong_key_is_refused_before_it_is_read(server):
    with connect(server) as client:
        client.sendall(b"POST /v1/kb/fees/documents?path=x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer no\r\n"
                       b"Expect: 100-continue\r\nContent-Length: 100000000\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 401")


def test_half_a_request(server):
    with connect(server) as client:
        client.sendall(b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
    with connect(server) as client:
        client.sendall(b"GET /v1/")
    assert server.call("GET", "/v1/me").status_code == 200


def test_two_thousand_idle_streams_while_answering(server):
    with concurrent.futures.ThreadPoolExecutor(32) as pool:
        clients = list(pool.map(lambda _: connect(server), range(2000)))
    try:
        assert eventually(lambda: server.metric("heng_http_connections") >= 2000)
        began = time.time()
        for _ in range(20):
            assert requests.get(server.url + "/healthz").status_code == 200
        assert time.time() - began < 10
        answer = server.call("POST", "/v1/chat/completions", json=chat(server, max_tokens=8))
        assert answer.status_code == 200
    finally:
        for client in clients:
            client.close()
    assert eventually(lambda: server.metric("heng_http_connections") < 100)


def test_many_clients_at_once_get_answers_or_a_clear_refusal(server):
    def one(_):
        return server.call("POST", "/v1/chat/completions", json=chat(server, max_tokens=4), timeout=300).status_code

    with concurrent.futures.ThreadPoolExecutor(24) as pool:
        codes = list(pool.map(one, range(24)))
    assert set(codes) <= {200, 503} and codes.count(200) >= 8


def test_drain_ends_streams_and_exits(fresh):
    server = fresh([("# drain_s = 20", "drain_s = 1")])
    lines = []

    def read():
        with server.call("POST", "/v1/chat/completions", json=chat(server, stream=True, max_tokens=3000), stream=True) as answer:
            lines.extend(answer.iter_lines(decode_unicode=True))

    reader = threading.Thread(target=read)
    reader.start()
    assert eventually(lambda: server.metric(f'heng_model_queue{{model="{CHAT}",state="active"}}') == 1)
    assert server.stop() == 0
    reader.join(30)
    assert any("shutting down" in line or "[DONE]" in line for line in lines)


def test_tls(fresh, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    server = fresh([('# tls_certificate = "tls/server.pem"', f'tls_certificate = "{tmp_path}/cert.pem"'),
                    ('# tls_key = "tls/server.key"', f'tls_key = "{tmp_path}/key.pem"'), ("# preload = true", "preload = false")], ready=False)
    assert server.url.startswith("https://")
    answer = requests.get(server.url + "/v1/me", headers={"Authorization": f"Bearer {server.key}"}, verify=tmp_path / "cert.pem")
    assert answer.status_code == 200 and "max-age" in answer.headers["strict-transport-security"]
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, OSError)):
        old.wrap_socket(connect(server))
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(server.url.replace("https", "http") + "/healthz")


def test_refuses_to_listen_widely_without_tls(tmp_path):
    server = Server(tmp_path / "bank", [('# address = "127.0.0.1"', 'address = "0.0.0.0"'), ("# preload = true", "preload = false")])
    done = subprocess.run([BIN / "heng", "serve", "--dir", server.folder, "--port", "0"], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "HENG_LANG": "en"})
    assert done.returncode != 0 and "TLS" in done.stdout + done.stderr


def test_killed_process_keeps_what_it_acknowledged(fresh):
    server = fresh()
    server.call("POST", "/v1/kb", json={"name": "kept"})
    sent = server.call("POST", "/v1/kb/kept/documents", params={"path": "a.txt"}, data=b"The deposit rate is 1.5 percent.")
    index = int(sent.headers["x-heng-audit-index"])
    server.stop(signal.SIGKILL)
    server.start()
    assert server.call("POST", "/v1/kb/kept/search", json={"query": "deposit rate", "mode": "words"}).json()["results"]
    assert server.call("GET", f"/v1/audit/{index}").status_code == 200
