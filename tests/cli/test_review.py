"""People beside the model: the review queue and the stop buttons, with the real program and the real model."""
import hashlib
import json

import pytest

from conftest import SAMPLES, Heng

QUESTION = "金卡年费是多少？"


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    heng = Heng(tmp_path_factory.mktemp("heng") / "bank").init()
    with (heng.folder / "heng.toml").open("a") as config:
        config.write('\n[review]\nknowledge_bases = ["wealth"]\nfour_eyes = ["loans"]\n')
    heng.here("ingest", SAMPLES, "--kb", "wealth", "--words-only")
    return heng


def key(heng, user, roles):
    return {"HENG_KEY": heng.json("key", "create", "--name", user, "--user", user, "--roles", roles)[0]["secret"]}


def outcomes(heng, action):
    found = []
    for record in heng.json("audit", "tail", "-n", "500"):
        if record.get("opened", {}).get("action") == action:
            found.append(record)
    return found


def test_an_answer_waits_for_a_person_and_only_the_approved_text_comes_out(desk):
    one, two = key(desk, "one", "reviewer"), key(desk, "two", "reviewer")
    answer = desk.json("ask", QUESTION, "--kb", "wealth")[0]
    assert answer["verdict"] == "review" and answer["review"] in answer["answer"]
    assert not answer["citations"] and not answer["figures"] and not answer["sentences"]
    number = answer["review"]
    mine = desk.json("review", "show", number)[0]
    assert mine["state"] == "waiting" and mine["text"] == "" and mine["reason"] == ""

    seen = desk.json("review", "show", number, environment=one)[0]
    assert seen["evidence"] and all(e["sha256"] == hashlib.sha256(e["text"].encode()).hexdigest() for e in seen["evidence"])
    assert hashlib.sha256(seen["text"].encode()).hexdigest() == seen["sha256"]
    assert seen["author"] == ""
    assert desk.here("review", "approve", number, "--sha256", "0" * 64, environment=one, code=None).returncode != 0
    edited = "金卡年费以章程为准。"
    desk.here("review", "edit", number, "--sha256", seen["sha256"], "--text", "-", "--reason", "says too much", environment=one, text=edited)
    hash_now = hashlib.sha256(edited.encode()).hexdigest()
    assert "another person" in desk.here("review", "approve", number, "--sha256", hash_now, environment=one, code=None).stderr
    desk.here("review", "approve", number, "--sha256", hash_now, environment=two)
    assert desk.json("review", "show", number)[0]["text"] == edited
    for action in ("review.submit", "review.edit", "review.approve"):
        assert any(r["opened"]["resource"] == "review:" + number for r in outcomes(desk, action)), action
    assert desk.here("audit", "verify").returncode == 0


def test_planted_errors_are_counted(desk):
    one = key(desk, "planted", "reviewer")
    number = desk.json("review", "plant", "--text", "-", "--question", "保本吗？", "--evidence", "本产品不保证本金。", text="本产品保本保收益。")[0]["id"]
    seen = desk.json("review", "show", number, environment=one)[0]
    assert "planted" not in json.dumps({k: v for k, v in seen.items() if k != "rule"})
    desk.here("review", "reject", number, "--sha256", seen["sha256"], "--reason", "promises the principal", environment=one)
    people = {p["reviewer"]: p for p in desk.json("review", "quality")[0]["reviewers"]}
    assert people["planted"]["caught"] == people["planted"]["planted"] == 1


def test_a_stop_halts_until_two_people_lift_it(desk):
    second = key(desk, "second", "admin")
    stopped = desk.json("stop", "everything", "--reason", "drill")[0]
    refused = desk.here("ask", QUESTION, "--kb", "wealth", code=4)
    assert "drill" in refused.stderr
    desk.here("resume", stopped["id"], "--reason", "over")
    assert "second person" in desk.here("resume", stopped["id"], "--reason", "over", code=None).stderr
    desk.here("ask", QUESTION, "--kb", "wealth", code=4)
    desk.here("resume", stopped["id"], "--reason", "agreed", environment=second)
    desk.json("ask", QUESTION, "--kb", "wealth")
    assert desk.json("stop", "list") == []
    assert desk.json("stop", "list", "--lifted")[0]["resumed_by"] == "second"
    assert any(r["closed"]["outcome"] == "stopped" for r in outcomes(desk, "ask"))
    for action in ("stop", "resume.ask", "resume"):
        assert outcomes(desk, action), action


def test_wrong_use_is_named(desk):
    assert desk.here("stop", "model", "--reason", "x", code=None).returncode != 0
    assert desk.here("stop", "modle", "x", "--reason", "x", code=2)
    assert "REVIEW" in desk.here("review", "show", "REVIEW", code=None).stderr
    assert desk.here("review", "list", environment={"HENG_KEY": "heng_wrong"}, code=None).returncode != 0
    (bad := Heng(desk.folder.parent / "bad")).init()
    with (bad.folder / "heng.toml").open("a") as config:
        config.write("\n[review]\ndue_minutes = 0\n")
    assert "due_minutes" in bad.here("review", "list", code=3).stderr


def test_an_answer_is_explained_on_one_page(desk):
    answer = desk.json("ask", QUESTION, "--kb", "wealth")[0]
    page = desk.json("audit", "explain", answer["audit_index"])[0]
    assert page["question"] == QUESTION and page["outcome"] == "ok"
    assert page["people"]["reviews"][0]["id"] == answer["review"]
    assert page["passages"] and all(p["now"] == "same" for p in page["passages"])
    assert all(hashlib.sha256(p["text"].encode()).hexdigest() == p["sha256"] for p in page["passages"])
    assert [p["status"] for p in page["proof"]] == ["included", "included"]
    assert page["model"]["sha256"] == answer["model_sha256"]
    file = desk.folder / "page.html"
    desk.here("audit", "explain", answer["audit_index"], "--html", "--out", file)
    html = file.read_text()
    assert "<script" not in html and "AIGC" in html and answer["review"] in html and "http://" not in html
    assert "Proof" in desk.here("audit", "explain", answer["audit_index"]).stdout
    assert "所读段落" in desk.here("audit", "explain", answer["audit_index"], environment={"HENG_LANG": "zh"}).stdout
    assert desk.here("audit", "explain", "999999", code=None).returncode != 0
