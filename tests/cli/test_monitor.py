"""Monitoring, incidents, inventory and fairness on the command line, with the real program and the real model."""
import json
import random

import pytest

from conftest import SAMPLES, Heng


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    heng = Heng(tmp_path_factory.mktemp("heng") / "bank").init()
    with (heng.folder / "heng.toml").open("a") as config:
        config.write("\n[monitor]\nprompt_price = 2.0\ncompletion_price = 8.0\n")
    heng.here("ingest", SAMPLES, "--kb", "bank", "--words-only")
    return heng


def test_the_report_counts_what_happened(bank):
    answer = bank.json("ask", "金卡年费是多少？", "--kb", "bank")[0]
    bank.json("ask", "What is the airspeed of a swallow?", "--kb", "bank")
    report = bank.json("monitor", "report", "--hours", "1")[0]
    assert report["requests"] == 2 and report["answers"] == 2
    assert sum(report["outcomes"].values()) == 2
    assert report["tenants"]["default"]["prompt_tokens"] >= answer["usage"]["prompt_tokens"] > 0
    tally = report["tenants"]["default"]
    assert tally["cost"] == pytest.approx((tally["prompt_tokens"] * 2 + tally["completion_tokens"] * 8) / 1e6)
    assert report["models"][answer["model"]]["requests"] >= 1
    assert report["drift"]["topic"]["psi"] is None and report["alerts"] == []
    assert "PSI" in bank.here("monitor", "report").stdout


def test_an_incident_and_a_model_need_people(bank):
    second = json.loads(bank.here("key", "create", "--name", "r", "--user", "risk", "--roles", "risk", "--json").stdout)["secret"]
    analyst = json.loads(bank.here("key", "create", "--name", "a", "--user", "a", "--roles", "analyst", "--json").stdout)["secret"]
    made = bank.json("incident", "open", "--title", "wrong fee", "--severity", "high", "--text", "a customer called")[0]
    bank.json("incident", "step", made["id"], "--text", "model stopped", "--state", "mitigated", environment={"HENG_KEY": second})
    closed = bank.json("incident", "step", made["id"], "--text", "document corrected", "--state", "closed")[0]
    assert [s["text"] for s in closed["timeline"]] == ["a customer called", "model stopped", "document corrected"]
    assert closed["timeline"][1]["who"] == "risk" and closed["state"] == "closed"
    assert bank.here("incident", "open", "--title", "x", "--text", "y", environment={"HENG_KEY": analyst}, code=None).returncode != 0
    sha = "a" * 64
    bank.here("inventory", "put", "qwen2.5-coder-0.5b-instruct", "--sha256", sha, "--owner", "retail", "--purpose", "customer questions", "--materiality", "medium")
    assert bank.here("inventory", "approve", "qwen2.5-coder-0.5b-instruct", "--sha256", sha, code=None).returncode != 0, "the proposer"
    bank.here("inventory", "approve", "qwen2.5-coder-0.5b-instruct", "--sha256", sha, environment={"HENG_KEY": second})
    assert bank.json("inventory", "list")[0]["approval"] == "approved"
    card = bank.here("inventory", "card", "qwen2.5-coder-0.5b-instruct").stdout
    assert "customer questions" in card and sha in card and "Measured in use" in card


def cases(path, rate_f, n=400, seed=7):
    rng = random.Random(seed)
    with path.open("w") as out:
        for i in range(n):
            sex = "f" if i % 2 else "m"
            good = rng.random() < 0.6
            out.write(json.dumps({"sex": sex, "score": rng.random(), "decision": rng.random() < (rate_f if sex == "f" else 0.6), "label": good}) + "\n")
    return path


def test_group_metrics_pass_and_fail(bank, tmp_path):
    page = tmp_path / "page.html"
    failed = bank.here("fairness", "--in", cases(tmp_path / "unfair.jsonl", 0.25), "--groups", "sex", "--html", page, code=1)
    assert "FAILED" in failed.stdout
    html = page.read_text()
    assert "<svg" in html and "<script" not in html and "FAILED" in html
    bank.here("fairness", "--in", cases(tmp_path / "fair.jsonl", 0.6), "--groups", "sex", "--most-rate-gap", "0.3", "--most-calibration-gap", "0.3")
    report = bank.json("fairness", "--in", tmp_path / "unfair.jsonl", "--groups", "sex", "--no-gate")[0]
    woman = next(g for g in report["attributes"][0]["groups"] if g["group"] == "f")
    assert woman["ratio"] < 0.8 and woman["adjusted_p"] < 0.05 and woman["difference_interval"][1] < 0


@pytest.mark.parametrize("line, says", [("[]", "line 1"), ('{"sex":"f"}', "decision"), ('{"score":2,"sex":"f"}', "score"), ("{", "line 1"), ('{"decision":"yes","sex":"f"}', "decision")])
def test_bad_rows_are_named(bank, tmp_path, line, says):
    (tmp_path / "bad.jsonl").write_text(line + "\n")
    assert says in bank.here("fairness", "--in", tmp_path / "bad.jsonl", "--groups", "sex", code=3).stderr


def test_counterfactuals_ask_the_real_model(bank, tmp_path):
    page = tmp_path / "page.html"
    done = bank.here("fairness", "--counterfactual", "--json", "--html", page, code=None)
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert {a["language"] for a in report["attributes"]} == {"zh", "en"} and report["texts"] == 12 * 19
    assert report["passed"] == (done.returncode == 0) == (not report["failures"])
    shifts = [abs(v["mean_shift"]) for a in report["attributes"] for v in a["variants"]]
    assert max(shifts) > 0, "a real model's probabilities move at least a little"
    assert "<svg" in page.read_text()
    assert any(r["opened"]["action"] == "fairness" for r in bank.json("audit", "tail", "-n", "5"))


def test_a_witness_sees_growth_and_refuses_a_cut_ledger(bank, tmp_path):
    import shutil
    folder = bank.folder / "data" / "ledger"
    shutil.copy(folder / "vkey", tmp_path / "vkey")
    stranger = Heng(tmp_path)  # no heng.toml, no master key

    def witness(ledger, code=0):
        done = stranger.run("audit", "witness", "--ledger", ledger, "--log-key", tmp_path / "vkey", "--key", tmp_path / "secret", "--state", tmp_path / "state", "--worm", tmp_path / "worm", "--json", code=None)
        assert (done.returncode == 0) == (code == 0), done.stdout + done.stderr
        return json.loads(done.stdout) if code == 0 else done.stderr

    shutil.copytree(folder, tmp_path / "old")
    first = witness(folder)
    assert first["seen_size"] == 0 and first["size"] > 0
    bank.here("key", "create", "--name", "grow")
    second = witness(folder)
    assert second["seen_size"] == first["size"] < second["size"]
    assert witness(folder)["size"] == second["size"], "again with nothing new"
    assert "cut" in witness(tmp_path / "old", code=1)
    notes = sorted((tmp_path / "worm").iterdir())
    assert len(notes) == 2 and all(n.stat().st_mode & 0o222 == 0 for n in notes)
    assert notes[0].read_text().count("\u2014 ") == 2
    # the cosigned note serves as a checkpoint saved earlier
    bank.here("audit", "verify", "--checkpoint", notes[0])
    # a rewritten ledger of the same institution: another history of the same length
    notes[1].chmod(0o644)
    notes[1].write_text(notes[1].read_text())
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    tile = max((p for p in (damaged / "tile" / "0").rglob("*") if p.is_file()), key=lambda p: p.stat().st_mtime)
    tile.write_bytes(bytes([tile.read_bytes()[0] ^ 1]) + tile.read_bytes()[1:])
    assert "cosigned" in witness(damaged, code=1)
