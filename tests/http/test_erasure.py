"""A customer's data are erased: nothing readable stays on disk, in later backups or in a process started anew, and the ledger verifies."""
import json
import os
import pathlib
import re
import subprocess

import pytest
import requests

from conftest import BIN, CHAT, Server, eventually

MARK = "XQZ-planted-7731-李雷的电话"
SUBJECT = {"X-Heng-Subject": "C-7731"}


def heng(server, *arguments, code=0, key=None):
    done = subprocess.run([BIN / "heng", *map(str, arguments), "--dir", server.folder], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "HENG_LANG": "en", **({"HENG_KEY": key} if key else {})})
    assert code is None or done.returncode == code, f"{arguments}: {done.returncode} {done.stdout}{done.stderr}"
    return done


def readable(server):
    """All that the program can decrypt: the ledger, search, documents, reviews."""
    found = heng(server, "audit", "export").stdout
    for kb in ("fees",):
        found += heng(server, "search", "customer wrote letter", "--kb", kb, "--json", "-k", "50").stdout + heng(server, "kb", "documents", kb, "--json", code=None).stdout
    return found


def memory_holds(pid, text):
    wanted, hits = text.encode(), 0
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw\S+ \S+ \S+ (\d+)\s*(.*)", line)
            if not match or match[4].endswith(".gguf") or match[4] in ("[vvar]", "[vsyscall]"):
                continue
            begin, end = int(match[1], 16), int(match[2], 16)
            try:
                memory.seek(begin)
                while begin < end:
                    block = memory.read(min(64 << 20, end - begin))
                    if not block:
                        break
                    hits += block.count(wanted)
                    begin += len(block)
            except OSError:
                continue
    return hits


def test_erasure(tmp_path):
    server = Server(tmp_path / "bank").start()
    try:
        assert server.call("POST", "/v1/kb", json={"name": "fees"}).status_code == 201
        assert server.call("POST", "/v1/kb/fees/documents", params={"path": "keep.md"}, data=b"# Keep\n\nThe annual fee stays 120 yuan.\n").status_code == 201
        sent = server.call("POST", "/v1/kb/fees/documents", params={"path": "letter.md"}, data=f"# Letter\n\nThe customer wrote {MARK} in the letter.\n".encode(), headers=SUBJECT)
        assert sent.status_code == 201 and "subject=C-7731" in server.call("GET", f"/v1/kb/fees/documents/{sent.json()['document']}").json()["readers"]
        asked = server.call("POST", "/v1/ask", json={"kb": "fees", "question": f"What did the customer write: {MARK}?"}, headers=SUBJECT)
        assert asked.status_code == 200, asked.text
        chat = server.call("POST", "/v1/chat/completions", json={"model": CHAT, "max_tokens": 4, "messages": [{"role": "user", "content": f"Remember {MARK}."}]}, headers=SUBJECT)
        assert chat.status_code == 200, chat.text
        rated = server.call("POST", "/v1/feedback", json={"audit_index": asked.json()["audit_index"], "stars": -1, "comment": f"wrong about {MARK}"})
        assert rated.status_code == 204, rated.text
        review = server.call("POST", "/v1/reviews", json={"proposed": f"call {MARK}", "question": "q"}, headers=SUBJECT).json()["id"]
        reviewer = server.new_key(user="rev", roles=["reviewer"])["secret"]
        seen = server.call("GET", f"/v1/reviews/{review}", reviewer).json()
        assert MARK in seen["text"]
        assert server.call("POST", f"/v1/reviews/{review}/decide", reviewer, json={"decision": "approve", "sha256": seen["sha256"], "reason": f"seen {MARK}"}).status_code == 200
        other = server.call("POST", "/v1/kb/fees/search", json={"query": "annual fee"})
        assert eventually(lambda: server.call("GET", "/v1/kb").json()["knowledge_bases"][0]["chunks_without_vector"] == 0, 120)
        before = readable(server)
        assert before.count(MARK) >= 6, "the test must plant before it erases"
        assert memory_holds(server.process.pid, MARK) > 0, "the running process knew it"
        checkpoint = tmp_path / "checkpoint"
        checkpoint.write_text(server.call("GET", "/v1/audit/checkpoint").json()["checkpoint"])

        hold = json.loads(heng(server, "hold", "set", "--subject", "C-7731", "--reason", "lawsuit", "--json").stdout)["id"]
        assert "lawsuit" in heng(server, "erase", "--subject", "C-7731", "--reason", "request", code=4).stderr
        assert "second person" in heng(server, "hold", "release", hold, "--reason", "over", code=None).stderr
        chief = server.new_key(user="chief", roles=["privacy"])["secret"]
        heng(server, "hold", "release", hold, "--reason", "over", key=chief)
        analyst = server.new_key(user="ana", roles=["analyst"])["secret"]
        assert heng(server, "erase", "--subject", "C-7731", "--reason", "request", key=analyst, code=None).returncode != 0
        report = json.loads(heng(server, "erase", "--subject", "C-7731", "--reason", "request of the customer", "--json").stdout)
        assert report["documents"] == 1 and report["reviews"] == 1 and report["ratings"] == 1 and report["keys"] == 2 and report["records"] >= 8, report
        # the running server forgets at once
        assert MARK not in server.call("POST", "/v1/kb/fees/search", json={"query": "customer wrote letter", "k": 50}).text
        assert server.call("GET", f"/v1/reviews/{review}").status_code == 404
        assert server.call("GET", f"/v1/audit/{asked.json()['audit_index']}").json()["erased"] is True
        assert server.call("GET", f"/v1/audit/{other.headers['x-heng-audit-index']}").json()["erased"] is False
    finally:
        assert server.stop() == 0, server.logged()[-2000:]

    after = readable(server)
    assert MARK not in after and "C-7731" not in after
    assert "annual fee stays 120 yuan" in heng(server, "search", "annual fee", "--kb", "fees", "--json").stdout
    heng(server, "audit", "verify", "--checkpoint", checkpoint)
    subprocess.run([BIN / "heng-audit-check", server.folder / "data" / "ledger"], check=True, capture_output=True, timeout=120)
    backup = tmp_path / "backup"
    heng(server, "backup", backup)
    for folder in (server.folder, backup):
        for file in pathlib.Path(folder).rglob("*"):
            if file.is_file():
                content = file.read_bytes()
                assert MARK.encode() not in content and b"C-7731" not in content, file
    restored = Server(tmp_path / "restored")
    (restored.folder / "master.key").write_text((server.folder / "master.key").read_text())
    subprocess.run(["rm", "-r", restored.folder / "data"], check=True)
    heng(restored, "restore", backup)
    assert MARK not in readable(restored) and "C-7731" not in readable(restored)

    server.start()
    try:
        assert server.call("GET", "/v1/audit?limit=200").status_code == 200
        assert server.call("POST", "/v1/kb/fees/search", json={"query": "annual fee"}).status_code == 200
        assert memory_holds(server.process.pid, "XQZ-planted") == 0
    finally:
        server.stop()


def test_a_malformed_subject_is_refused(server):
    for bad in ("a b", "a,b", "x" * 200):
        assert server.call("GET", "/v1/me", headers={"X-Heng-Subject": bad}).status_code == 400, bad
