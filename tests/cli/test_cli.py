"""The command line as its user meets it."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest
from conftest import BIN, SAMPLES, Heng

SECRET_TEXT = "远岑银行“安稳”定期存款产品条款"


def all_bytes(folder):
    return b"".join(path.read_bytes() for path in pathlib.Path(folder).rglob("*") if path.is_file())


def test_help_teaches(tmp_path):
    heng = Heng(tmp_path)
    top = heng.run("--help").stdout
    for verb in ("init", "ingest", "search", "ask", "serve", "audit", "models", "key", "kb", "backup", "restore", "rotate-key"):
        assert verb in top
        assert heng.run(verb, "--help").stdout.count("\n") > 3
    assert heng.run("nonsense", code=2).stderr
    assert "heng init" in heng.run("ask", "x", "--kb", "k", "--dir", tmp_path / "none", code=None).stderr


def test_init_twice_changes_nothing(empty):
    before = (empty.folder / "heng.toml").read_text()
    assert "already" in empty.run("init", empty.folder, code=1).stderr
    assert (empty.folder / "heng.toml").read_text() == before
    assert (empty.folder / "master.key").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("line, says", [("[server]\nport = \"x\"\n", "line 2"), ("[server]\nprot = 1\n", "prot"),
                                        ("[servre]\n", "servre"), ("[server\n", "line 1"), ("[models]\nthreads = -4\n", "-4")])
def test_bad_configuration_names_the_line(empty, line, says):
    (empty.folder / "heng.toml").write_text(line)
    failed = empty.here("kb", "list", code=3)
    assert says in failed.stderr


def test_search_finds_short_words_codes_and_meaning(bank):
    found = bank.json("search", "年费", "--kb", "bank", "-k", "3")[0]["results"]
    assert any("年费" in r["text"] for r in found)
    found = bank.json("search", "YC-HJ-090", "--kb", "bank", "--mode", "words")[0]["results"]
    assert "恒进" in found[0]["doc"] + found[0]["title"]
    found = bank.json("search", "losing my bank card", "--kb", "bank", "-k", "5")[0]["results"]
    assert any("遗失" in r["text"] or "loss" in r["text"] for r in found)
    assert found[0].keys() >= {"doc", "title", "page", "chunk", "score", "text"}


def test_ingest_is_incremental(empty, tmp_path):
    source = tmp_path / "docs"
    shutil.copytree(SAMPLES, source)
    first = empty.json("ingest", source, "--kb", "k", "--words-only")
    assert {r["outcome"] for r in first} == {"added"}
    assert {r["outcome"] for r in empty.json("ingest", source, "--kb", "k", "--words-only")} == {"unchanged"}
    text = source / "personal-loan-terms.md"
    text.write_text(text.read_text().replace("4.20%", "4.35%"))
    (source / "copy.md").write_text((source / "定期存款条款.md").read_text())
    (source / "收费表-fees.xlsx").unlink()
    outcomes = {r["path"]: r["outcome"] for r in empty.json("ingest", source, "--kb", "k", "--words-only", "--prune")}
    assert outcomes["personal-loan-terms.md"] == "replaced" and outcomes["copy.md"] == "duplicate"
    assert not empty.json("search", "4.20%", "--kb", "k", "--mode", "words")[0]["results"] or \
        all("4.20%" not in r["text"] for r in empty.json("search", "4.20%", "--kb", "k", "--mode", "words")[0]["results"])
    assert all("fees" not in d["path"] for d in empty.json("kb", "documents", "k"))


def test_bad_documents_cost_one_line_each(empty, tmp_path):
    source = tmp_path / "bad"
    source.mkdir()
    (source / "empty.pdf").write_bytes(b"")
    (source / "noise.txt").write_bytes(os.urandom(5000))
    (source / "broken.docx").write_bytes(b"PK\x03\x04" + os.urandom(300))
    (source / "good.md").write_text("# Fine\n\nThe safe deposit box costs RMB 360 a year.\n")
    done = empty.here("ingest", source, "--kb", "k", "--words-only", code=3)
    for name in ("empty.pdf", "noise.txt", "broken.docx"):
        assert sum(line.strip().startswith(name) for line in done.stderr.splitlines()) == 1, done.stderr
    assert empty.json("search", "deposit box", "--kb", "k", "--mode", "words")[0]["results"]


def test_ask_answers_with_a_checked_citation(bank):
    answer = bank.json("ask", "一年期定期存款的年利率是多少？", "--kb", "bank")[0]
    assert not answer["abstained"] and "1.35" in answer["answer"]
    assert answer["citations"] and answer["audit_index"] >= 0
    assert all(f["status"] in ("cited", "computed", "question") for f in answer["figures"])


def test_ask_abstains_in_the_language_of_the_question(bank):
    answer = bank.json("ask", "Does the bank offer custody of bitcoin, and at what fee?", "--kb", "bank")[0]
    assert answer["abstained"] and answer["verdict"] == "abstained" and answer["answer"].isascii()
    answer = bank.json("ask", "远岑银行的火星旅行贷款利率是多少？", "--kb", "bank")[0]
    assert answer["abstained"] and any("\u4e00" <= c <= "\u9fff" for c in answer["answer"])


def test_nothing_readable_on_disk(bank):
    bank.here("ask", "如果提前支取怎么计息？Zebra4711", "--kb", "bank")
    stored = all_bytes(bank.folder / "data")
    for text in (SECRET_TEXT, "Zebra4711", "提前支取", "outstanding balance", bank.key.split("_")[-1]):
        assert text.encode() not in stored, text


def test_ledger_verifies_and_tampering_is_found(bank, tmp_path):
    bank.here("ask", "补卡工本费多少钱？", "--kb", "bank")
    bank.here("audit", "verify")
    check = [BIN / "heng-audit-check", bank.folder / "data/ledger"]
    assert subprocess.run(check, capture_output=True).returncode == 0
    copy = tmp_path / "ledger"
    shutil.copytree(bank.folder / "data/ledger", copy)
    for bundle in copy.rglob("tile/entries/**/*"):
        if bundle.is_file():
            changed = bytearray(bundle.read_bytes())
            changed[len(changed) // 2] ^= 1
            bundle.write_bytes(changed)
    assert subprocess.run([check[0], copy], capture_output=True).returncode == 1


def test_replay_gives_the_same_probabilities(bank):
    answer = bank.json("ask", "What is the late charge on an overdue instalment?", "--kb", "bank")[0]
    replayed = bank.json("audit", "replay", str(answer["audit_index"]))[0]
    assert replayed["tokens"] > 0 and replayed["largest_difference"] < 0.05 and replayed["within_tolerance"]


def test_wrong_key_is_told_and_changes_nothing(bank):
    before = all_bytes(bank.folder / "data/ledger")
    failed = bank.here("kb", "list", code=None, environment={"HENG_MASTER_KEY": "ab" * 32})
    assert failed.returncode != 0 and "key" in failed.stderr
    assert all_bytes(bank.folder / "data/ledger") == before


def test_backup_restores_and_verifies(bank, tmp_path):
    bank.here("backup", tmp_path / "backup")
    assert SECRET_TEXT.encode() not in all_bytes(tmp_path / "backup")
    other = Heng(tmp_path / "other")
    other.run("init", other.folder)
    shutil.rmtree(other.folder / "data")
    shutil.copy(bank.folder / "master.key", other.folder / "master.key")
    other.here("restore", tmp_path / "backup")
    other.here("audit", "verify")
    assert other.json("search", "年费", "--kb", "bank", "--mode", "words")[0]["results"]
    damaged = next(p for p in (tmp_path / "backup").rglob("*.db"))
    content = bytearray(damaged.read_bytes())
    content[5000] ^= 1
    damaged.write_bytes(content)
    third = Heng(tmp_path / "third")
    third.run("init", third.folder)
    shutil.rmtree(third.folder / "data")
    assert damaged.name in third.here("restore", tmp_path / "backup", code=None).stderr


def test_rotation_makes_the_old_key_worthless(empty, tmp_path):
    empty.here("ingest", SAMPLES / "personal-loan-terms.md", "--kb", "k", "--words-only")
    empty.here("watch", "news", "--stdin", text=json.dumps({"text": "the harbour bank opens a branch"}) + "\n")
    old = (empty.folder / "master.key").read_text().strip()
    empty.here("rotate-key")
    assert (empty.folder / "master.key").read_text().strip() != old
    assert empty.json("search", "instalment", "--kb", "k", "--mode", "words")[0]["results"]
    assert "harbour" in empty.here("brief", "--json").stdout, "the streams came along"
    empty.here("audit", "verify")
    assert empty.here("kb", "list", code=None, environment={"HENG_MASTER_KEY": old}).returncode != 0


def test_killed_ingestion_leaves_whole_documents(empty, tmp_path):
    source = tmp_path / "many"
    source.mkdir()
    for i in range(60):
        (source / f"{i:03}.md").write_text(f"# Rule {i}\n\n" + "\n\n".join(f"Clause {i}.{j} says that item{i}x{j} is due." for j in range(30)))
    for wait in (0.3, 0.8):
        process = subprocess.Popen([BIN / "heng", "ingest", source, "--kb", "k", "--words-only", "--dir", empty.folder],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=empty.environment)
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
    empty.here("ingest", source, "--kb", "k", "--words-only")
    assert len(empty.json("kb", "documents", "k")) == 60
    empty.here("kb", "check", "k")


def test_keys_are_made_listed_and_revoked(empty):
    made = json.loads(empty.here("key", "create", "--name", "desk", "--roles", "analyst", "--json").stdout)
    assert made["secret"].startswith("heng_")
    listed = empty.json("key", "list")
    assert any(k["name"] == "desk" for k in listed) and all("secret" not in k for k in listed)
    empty.here("key", "revoke", made["id"])
    assert next(k for k in empty.json("key", "list") if k["name"] == "desk")["revoked"]


def test_models_are_checked(empty, tmp_path):
    assert {m["name"] for m in empty.json("models", "list")} >= {"qwen2.5-coder-0.5b-instruct", "multilingual-e5-small"}
    (tmp_path / "fake.gguf").write_bytes(b"GGUF" + os.urandom(100))
    assert empty.here("models", "add", tmp_path / "fake.gguf", code=None).returncode in (1, 3)
