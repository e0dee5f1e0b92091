"""Values masked into the vault: they leave as tokens, two people read one back, attacks on that fail, erasure and later backups know nothing."""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess

import pytest

from conftest import BIN, CHAT, ROOT, Server

CARD = "4111111111111111"
OTHER = "5555555555554444"
THIRD = "5105105105105100"
POLICY = ROOT / "src/guard/pii/policies/personal_data.toml"


def heng(server, *arguments, code=0, key=None):
    done = subprocess.run([BIN / "heng", *map(str, arguments), "--dir", server.folder], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "HENG_LANG": "en", **({"HENG_KEY": key} if key else {})})
    assert code is None or done.returncode == code, f"{arguments}: {done.returncode} {done.stdout}{done.stderr}"
    return done


def with_vault(server):
    """The policy that comes with Heng, with bank cards kept in the vault."""
    text = POLICY.read_text()
    changed = re.sub(r'(name = "bank_card"\nclass = "C2"\naction = )"mask"', r'\1"vault"', text)
    assert changed != text
    (server.folder / "policies").mkdir(exist_ok=True)
    (server.folder / "policies" / "personal_data.toml").write_text(changed)
    return server


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    server = with_vault(Server(tmp_path_factory.mktemp("vault") / "bank")).start()
    yield server
    assert server.stop() == 0, server.logged()[-2000:]


@pytest.fixture(scope="module")
def people(bank):
    return {name: bank.new_key(user=name, roles=roles)["secret"]
            for name, roles in (("ana", ["risk"]), ("dpo", ["privacy"]), ("chief", ["supervisor"]), ("rev", ["reviewer"]), ("clerk", ["analyst"]))}


def says(server, text, subject=None, **more):
    """A chat whose answer is exactly `text`."""
    return server.call("POST", "/v1/chat/completions", headers={"X-Heng-Subject": subject} if subject else {},
                       json={"model": CHAT, "max_tokens": 200, "messages": [{"role": "user", "content": "Say it."}],
                             "heng": {"grammar": f"root ::= {json.dumps(text)}"}, **more})


def token_in(text):
    found = re.search(r"\[BANK_CARD:[0-9a-f]{20}\]", text)
    assert found, text
    return found[0]


def disk(*folders):
    return {file: file.read_bytes() for folder in folders for file in pathlib.Path(folder).rglob("*") if file.is_file()}


def test_out_and_in_and_two_people(bank, people):
    answer = says(bank, f"The card {CARD} is blocked.")
    assert answer.status_code == 200, answer.text
    assert CARD not in answer.text
    token = token_in(answer.json()["choices"][0]["message"]["content"])
    streamed = says(bank, f"Again {CARD} is it.", stream=True)
    assert CARD not in streamed.text and token in "".join(
        json.loads(line[6:])["choices"][0]["delta"].get("content") or "" for line in streamed.text.splitlines() if line.startswith("data: {") and json.loads(line[6:])["choices"])
    asked = bank.call("POST", "/v1/chat/completions", json={"model": CHAT, "max_tokens": 2, "messages": [{"role": "user", "content": f"My card is {OTHER}."}]})
    assert asked.status_code == 200, asked.text
    records = heng(bank, "audit", "export").stdout
    assert CARD not in records and OTHER not in records and token in records, "the ledger holds tokens"
    listed = bank.call("GET", "/v1/vault", people["ana"]).json()["values"]
    assert {v["type"] for v in listed} == {"bank_card"} and len(listed) == 2 and all("value" not in v for v in listed)
    made = bank.call("POST", "/v1/vault/requests", people["ana"], json={"token": token, "reason": "fraud case 12"})
    assert made.status_code == 201, made.text
    made = made.json()
    show = lambda key: bank.call("POST", f"/v1/vault/requests/{made['id']}/show", key)
    decide = lambda key, **body: bank.call("POST", f"/v1/vault/requests/{made['id']}/decide", key, json={"decision": "approve", "sha256": made["sha256"], **body})
    assert show(people["ana"]).status_code == 409, "not approved"
    assert decide(people["ana"]).status_code == 403, "the requester"
    assert decide(people["rev"]).status_code in (403, 404), "a reviewer of answers"
    assert decide(people["clerk"]).status_code == 403
    assert bank.call("POST", f"/v1/reviews/{made['review']}/decide", people["rev"], json={"decision": "approve", "sha256": made["sha256"]}).status_code in (403, 404)
    assert bank.call("POST", f"/v1/reviews/{made['review']}/redeem", people["dpo"], json={"sha256": made["sha256"]}).status_code == 404
    assert decide(people["dpo"], sha256="0" * 64).status_code == 409, "another text"
    assert decide(people["dpo"], sha256="x").status_code == 400
    assert decide(people["dpo"], decision="edit").status_code == 400
    assert decide(people["dpo"]).json()["state"] == "approved"
    assert show(people["dpo"]).status_code == 404, "the approver reads nothing"
    assert show(people["clerk"]).status_code == 403
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = sorted(a.status_code for a in pool.map(lambda _: show(people["ana"]), range(8)))
    assert codes == [200] + [409] * 7, "one reading, however many ask at once"
    assert bank.call("GET", "/v1/vault/requests", people["ana"]).json()["requests"][0]["state"] == "shown"
    records = heng(bank, "audit", "export").stdout
    for action in ("vault.request", "vault.approve", "vault.show"):
        assert action in records
    assert CARD not in records
    assert bank.call("GET", "/v1/vault", people["clerk"]).status_code == 403
    for bad in ({}, {"token": token}, {"token": "[BANK_CARD:00]", "reason": " "}, {"token": 5, "reason": "x"}):
        assert bank.call("POST", "/v1/vault/requests", people["ana"], json=bad).status_code == 400, bad
    assert bank.call("POST", "/v1/vault/requests", people["ana"], json={"token": "[BANK_CARD:00]", "reason": "x"}).status_code == 404


def test_an_ask_and_what_the_reviewer_sees(bank, people):
    fresh = THIRD
    assert bank.call("POST", "/v1/kb", json={"name": "fees"}).status_code == 201
    assert bank.call("POST", "/v1/kb/fees/documents", params={"path": "fees.md"}, data=b"# Fees\n\nThe annual fee of the card is 120 yuan.\n").status_code == 201
    answer = bank.call("POST", "/v1/ask", json={"kb": "fees", "question": f"What is the annual fee of my card {fresh}?"})
    assert answer.status_code == 200 and fresh not in answer.text, answer.text
    streamed = bank.call("POST", "/v1/ask", json={"kb": "fees", "question": f"What is the annual fee of my card {fresh}?", "stream": True})
    assert streamed.status_code == 200 and fresh not in streamed.text
    assert fresh not in heng(bank, "audit", "export").stdout
    assert any(v["token"] in heng(bank, "audit", "export").stdout for v in bank.call("GET", "/v1/vault", people["ana"]).json()["values"])
    # a promise goes to a reviewer, with the token and not with the number
    held = says(bank, f"The product is guaranteed, card {fresh}, 预期收益率可达百分之八。")
    assert fresh not in held.text
    assert fresh not in bank.call("GET", "/v1/reviews?state=all", people["chief"]).text


def test_the_command_line_and_another_tenant(bank, people):
    says(bank, f"The card {CARD} is blocked.")
    token = json.loads(heng(bank, "vault", "list", "--type", "bank_card", "--json", key=people["ana"]).stdout.splitlines()[0])["token"]
    made = json.loads(heng(bank, "vault", "unmask", token, "--reason", "claim 7", "--json", key=people["ana"]).stdout)
    assert heng(bank, "vault", "approve", made["id"], "--sha256", made["sha256"], key=people["ana"], code=None).returncode != 0
    assert "sha256 " + made["sha256"] in heng(bank, "vault", "list", "--requests", key=people["chief"]).stdout
    other = json.loads(heng(bank, "key", "create", "--name", "x", "--user", "chief", "--tenant", "shop", "--roles", "supervisor,privacy,admin", "--json").stdout)["secret"]
    assert heng(bank, "vault", "list", key=other).stdout.count("BANK_CARD") == 0
    assert heng(bank, "vault", "approve", made["id"], "--sha256", made["sha256"], key=other, code=None).returncode != 0
    assert bank.call("POST", "/v1/vault/requests", other, json={"token": token, "reason": "x"}).status_code == 404
    heng(bank, "vault", "approve", made["id"], "--sha256", made["sha256"], key=people["chief"])
    assert bank.call("POST", f"/v1/vault/requests/{made['id']}/show", other).status_code == 404
    assert heng(bank, "vault", "show", made["id"], key=people["ana"]).stdout.strip() in (CARD, OTHER, THIRD)
    assert heng(bank, "vault", "show", made["id"], key=people["ana"], code=None).returncode != 0
    assert heng(bank, "vault", "show", made["id"], key=people["clerk"], code=None).returncode != 0


def test_nothing_on_disk_holds_a_value(bank):
    says(bank, f"The card {CARD} is blocked.")
    for file, content in disk(bank.folder).items():
        assert CARD.encode() not in content and OTHER.encode() not in content and THIRD.encode() not in content, file


def test_erasure_takes_the_vault_and_later_backups_have_no_key(tmp_path):
    server = with_vault(Server(tmp_path / "bank")).start()
    try:
        token = token_in(says(server, f"Yours is {CARD} now.", "C-99731").json()["choices"][0]["message"]["content"])
        ana, dpo = (server.new_key(user=u, roles=[r])["secret"] for u, r in (("ana", "risk"), ("dpo", "privacy")))
        request = server.call("POST", "/v1/vault/requests", ana, json={"token": token, "reason": "case"}, headers={"X-Heng-Subject": "C-99731"}).json()
        assert server.call("POST", f"/v1/vault/requests/{request['id']}/decide", dpo, json={"decision": "approve", "sha256": request["sha256"]}).status_code == 200
        lines = (server.folder / "data/keyring").read_text().splitlines()
        earlier = tmp_path / "earlier"
        heng(server, "backup", earlier)
        report = json.loads(heng(server, "erase", "--subject", "C-99731", "--reason", "request", "--json").stdout)
        assert report["values"] == 1 and report["keys"] >= 2, report
        assert server.call("POST", f"/v1/vault/requests/{request['id']}/show", ana).status_code in (403, 404)
        assert server.call("GET", "/v1/vault", ana).json()["values"] == []
        destroyed = {line.split()[1] for line in (server.folder / "data/keyring").read_text().splitlines() if line.startswith("destroyed ")}
        wrapped = [line.split()[4] for line in lines if line.startswith("key ") and line.split()[1] in destroyed]
        assert len(wrapped) == report["keys"]
        assert any(key.encode() in content for content in disk(earlier).values() for key in wrapped), "a backup made before holds the key: that is known and documented"
        later = tmp_path / "later"
        heng(server, "backup", later)
        for file, content in disk(server.folder, later).items():
            for key in wrapped:
                assert key.encode() not in content, f"{file} still holds an erased key"
            assert CARD.encode() not in content and b"C-99731" not in content, file
    finally:
        assert server.stop() == 0
    restored = Server(tmp_path / "restored")
    (restored.folder / "master.key").write_text((server.folder / "master.key").read_text())
    subprocess.run(["rm", "-r", restored.folder / "data"], check=True)
    heng(restored, "restore", later)
    exported = heng(restored, "audit", "export").stdout
    assert CARD not in exported and '"erased":true' in exported
    assert heng(restored, "vault", "list", "--json").stdout == ""
    heng(restored, "audit", "verify")
    subprocess.run([BIN / "heng-audit-check", restored.folder / "data" / "ledger"], check=True, capture_output=True, timeout=120)
