"""heng retention and approval of models with the real program; days pass by a clock that is set forward under it."""
import json
import os
import pathlib
import subprocess

import pytest

from conftest import BIN, SAMPLES, Heng

HEAD = 'kind = "retention"\nid = "r"\nversion = "1"\nowner = "records"\nclause = "house"\neffective_from = 2026-01-01\nkey_days = 1\n'
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec* out) {
  static int (*real)(clockid_t, struct timespec*);
  if (!real) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, out);
  const char* days = getenv("TEST_DAYS_AHEAD");
  if (id == CLOCK_REALTIME && days) out->tv_sec += atol(days) * 86400;
  return result;
}
"""
MARK = "PLANTED-RETENTION-41"


@pytest.fixture(scope="session")
def clock(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clock")
    (folder / "clock.c").write_text(CLOCK)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "clock.so", folder / "clock.c", "-ldl"], check=True)
    return lambda days: {"LD_PRELOAD": str(folder / "clock.so"), "TEST_DAYS_AHEAD": str(days)}


def policy(heng, terms):
    (heng.folder / "policies").mkdir(exist_ok=True)
    (heng.folder / "policies" / "retention.toml").write_text(HEAD + "".join(f'[[keep]]\nname = "{n}"\ndays = {d}\n' for n, d in terms.items()))


def test_the_policy_is_checked_and_without_one_nothing_goes(empty, tmp_path):
    assert "no retention policy" in empty.here("retention", "plan", code=None).stderr
    example = tmp_path / "retention.toml"
    example.write_text(empty.run("retention", "example").stdout)
    assert "holds" in empty.here("policy", "check", example).stdout
    example.write_text(example.read_text().replace("days = 1825", "days = 0"))
    refused = empty.here("policy", "check", example, code=3)
    assert "line" in refused.stderr and "days must be" in refused.stderr
    policy(empty, {"vault": 5})
    assert any(row["kind"] == "retention" for row in empty.json("policy", "list"))
    assert empty.json("retention", "plan")[0]["due"] == 0
    (empty.folder / "policies" / "retention.toml").write_text(HEAD)
    assert "retention.toml, line" in empty.here("retention", "plan", code=3).stderr


def test_only_officers(empty):
    policy(empty, {"conversations": 1})
    clerk = json.loads(empty.here("key", "create", "--name", "c", "--user", "c", "--roles", "analyst", "--json").stdout)["secret"]
    assert empty.here("retention", "run", environment={"HENG_KEY": clerk}, code=None).returncode != 0
    dpo = json.loads(empty.here("key", "create", "--name", "d", "--user", "d", "--roles", "privacy", "--json").stdout)["secret"]
    empty.here("retention", "run", environment={"HENG_KEY": dpo})
    actions = [row["opened"]["action"] for row in empty.json("audit", "tail", "-n", "20")]
    assert "retention" in actions and "retention.done" in actions
    empty.here("audit", "verify")


def test_old_content_goes_what_is_held_stays_and_the_ledger_verifies(tmp_path, clock):
    heng = Heng(tmp_path / "bank").init()
    heng.here("ingest", SAMPLES, "--kb", "bank")
    ask = lambda text, *more: json.loads(heng.here("ask", text, "--kb", "bank", "--json", *more, code=None).stdout)["audit_index"]
    plain = ask(f"年费是多少 {MARK}-A")
    held = ask(f"年费是多少 {MARK}-B", "--subject", "C-5")
    by_index = ask(f"年费是多少 {MARK}-C", "--subject", "C-6")
    messages = "".join(json.dumps({"text": f"海港公司{n}宣布季度亏损 {MARK}"}, ensure_ascii=False) + "\n" for n in "甲乙")
    heng.here("watch", "news", "--stdin", text=messages)
    heng.here("hold", "set", "--subject", "C-5", "--reason", "lawsuit")
    heng.here("hold", "set", "--record", by_index, "--reason", "inspection")
    assert heng.here("hold", "set", "--reason", "x", code=None).returncode != 0
    assert "inspection" in heng.here("erase", "--subject", "C-6", "--reason", "x", code=4).stderr
    policy(heng, {"conversations": 2, "stream_items": 2})
    due = lambda **options: {row["kind"]: (row.get("due", row.get("deleted")), row["held"]) for row in heng.json("retention", "plan", **options)}
    assert due() == {"conversations": (0, 0), "stream_items": (0, 0)}, "everything is of today"
    assert due(environment=clock(1))["conversations"] == (0, 0), "the term is not over"
    export = lambda: {json.loads(line)["index"]: json.loads(line) for line in heng.here("audit", "export").stdout.splitlines()}
    before = export()
    assert sum(MARK in json.dumps(row) for row in before.values()) >= 3
    later = clock(4)
    planned = due(environment=later)
    assert planned["conversations"][0] >= 2 and planned["conversations"][1] >= 4 and planned["stream_items"] == (2, 0), planned
    assert sum(row["erased"] for row in export().values()) == 0, "a plan changes nothing"
    done = {row["kind"]: row["deleted"] for row in heng.json("retention", "run", environment=later)}
    assert done == {kind: counts[0] for kind, counts in planned.items()}
    assert due(environment=later) == {"conversations": (0, planned["conversations"][1]), "stream_items": (0, 0)}
    after = export()
    assert after[plain]["erased"] and after[plain]["leaf"] == before[plain]["leaf"], "unreadable, and still a leaf of the ledger"
    for kept in (held, by_index):
        assert after[kept] == before[kept]
    assert f"{MARK}-A" not in heng.here("audit", "export").stdout
    assert [row for row in after.values() if row["record"] and row["record"].get("open", {}).get("action") == "hold.set"], "how the institution was run stays"
    heng.here("audit", "verify")
    subprocess.run([BIN / "heng-audit-check", heng.folder / "data" / "ledger"], check=True, capture_output=True, timeout=120)
    # a new conversation is recorded and read as before, and a backup made now holds nothing of what went
    again = ask(f"年费是多少 {MARK}-D")
    assert f"{MARK}-D" in json.dumps(export()[again], ensure_ascii=False)
    backup = tmp_path / "backup"
    heng.here("backup", backup)
    restored = Heng(tmp_path / "restored").init()
    (restored.folder / "master.key").write_text((heng.folder / "master.key").read_text())
    subprocess.run(["rm", "-r", restored.folder / "data"], check=True)
    restored.here("restore", backup)
    exported = restored.here("audit", "export").stdout
    assert f"{MARK}-A" not in exported and f"{MARK}-B" in exported


def test_a_model_that_nobody_approved_does_not_run(tmp_path):
    heng = Heng(tmp_path / "bank").init()
    heng.here("ingest", SAMPLES, "--kb", "bank")
    ask = lambda code=0: heng.here("ask", "金卡年费是多少？", "--kb", "bank", "--json", code=code)
    report = heng.here("monitor", "report", "--json", code=None).stdout
    assert "require_approved_models" in json.loads(report)["warnings"][0]
    model = json.loads(ask().stdout)
    with (heng.folder / "heng.toml").open("a") as config:
        config.write("\n[governance]\nrequire_approved_models = true\n")
    refused = ask(code=4).stderr
    assert "not in the inventory" in refused and model["model"] in refused
    risk = json.loads(heng.here("key", "create", "--name", "r", "--user", "risk", "--roles", "risk", "--json").stdout)["secret"]
    put = lambda sha: heng.here("inventory", "put", model["model"], "--sha256", sha, "--owner", "retail", "--purpose", "customer questions", "--materiality", "medium")
    approve = lambda sha: heng.here("inventory", "approve", model["model"], "--sha256", sha, environment={"HENG_KEY": risk})
    put("a" * 64)
    assert "proposed" in ask(code=4).stderr
    approve("a" * 64)
    assert "approved with the weights" in ask(code=4).stderr, "another file under the approved name"
    put(model["model_sha256"])
    approve(model["model_sha256"])
    assert json.loads(ask().stdout)["answer"]
    heng.here("inventory", "withdraw", model["model"], "--reason", "drift")
    assert "withdrawn" in ask(code=4).stderr
    records = heng.json("audit", "tail", "-n", "3")
    assert any(row.get("closed", {}).get("outcome") == "refused" for row in records)
    with (heng.folder / "heng.toml").open("a") as config:
        config.write('require_approved_modells = true\n')
    assert "require_approved_modells" in ask(code=3).stderr
