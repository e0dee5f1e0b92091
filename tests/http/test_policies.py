"""The rules in force over HTTP: listed, replaced by a good file, kept when a bad one comes."""
import signal

from conftest import eventually

HEAD = 'kind = "{kind}"\nid = "house"\nversion = "{version}"\nowner = "compliance"\nclause = "house rule 9"\neffective_from = {begins}\n'
GIFT = '[[rule]]\nid = "free-gift"\ntitle = "gifts"\nclause = "house rule 9.2"\naction = "withhold"\nzh = ["送好礼"]\nen = ["free gift"]\nviolates = ["开户送好礼"]\nallows = ["不送好礼"]\n'
BLOCKING = ('[[rule]]\nid = "all"\ntitle = "t"\nclause = "c"\naction = "withhold"\nnegation_lifts = false\n'
            'zh = ["请问", "产品", "一般", "年利率", "身份证", "手机", "贷款", "投资", "网点", "信用卡"]\nviolates = ["手机"]\n')


def policy(server, kind, key=None):
    listed = server.call("GET", "/v1/policies", key)
    assert listed.status_code == 200, listed.text
    return next(p for p in listed.json()["policies"] if p["kind"] == kind)


def reload(server, expected):
    """SIGHUP; waits for the line that says what became of it."""
    before = server.logged().count("policy_reload")
    server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: server.logged().count("policy_reload") > before)
    line = [line for line in server.logged().splitlines() if "policy_reload" in line][-1]
    assert expected in line, line
    return line


def withheld(server, text):
    return server.call("POST", "/v1/guard/scan", json={"text": text}).json()["verdict"] == "withhold"


def test_rules_are_listed_and_a_bad_file_leaves_the_old_ones(fresh):
    server = fresh([("# preload = true", "preload = false")], ready=False)
    analyst = server.new_key()["secret"]
    listed = server.call("GET", "/v1/policies", analyst).json()["policies"]
    assert {p["kind"] for p in listed} == {"personal_data", "marketing", "suitability", "egress", "tools"}
    for one in listed:
        assert one["id"] and one["version"] and one["owner"] and one["clause"] and one["effective_from"] and len(one["sha256"]) == 64 and one["file"] is None
        assert one["rules"] and len({(r["kind"], r["id"]) for r in one["rules"]}) == len(one["rules"])
        assert all(r["id"] and r["clause"] for r in one["rules"]), one["kind"]
    principal = next(r for r in policy(server, "marketing")["rules"] if r["id"] == "guaranteed-principal")
    assert principal["action"] == "withhold" and "316" in principal["clause"] and principal["line"] > 0
    # the tests it carries are true of the running guard
    assert principal["violates"] and all(withheld(server, text) for text in principal["violates"])
    assert principal["allows"] and not any(withheld(server, text) for text in principal["allows"])

    folder = server.folder / "policies"
    folder.mkdir(exist_ok=True)
    good = HEAD.format(kind="marketing", version="2", begins="2026-01-01") + GIFT
    (folder / "marketing.toml").write_text(good)
    assert policy(server, "marketing")["version"] == "1.0", "what is enforced, not what lies on the disk"
    reload(server, '"ok"')
    mine = policy(server, "marketing")
    assert (mine["version"], mine["file"], [r["id"] for r in mine["rules"]]) == ("2", "marketing.toml", ["free-gift"])
    assert withheld(server, "开户送好礼") and not withheld(server, "本产品保本保收益")

    two = GIFT.replace("free-gift", "second").replace("withhold", "review")
    link = HEAD.format(kind="egress", version="1", begins="2026-01-01")
    types = HEAD.format(kind="personal_data", version="1", begins="2026-01-01")
    for file, text, line, reason in (
            ("marketing.toml", "kind = \n", "line 1", ""), ("marketing.toml", good.replace('"withhold"', '"explode"'), "line 11", "action must be"),
            ("marketing.toml", good + two, "line 16", "which action holds"), ("marketing.toml", good.replace("[[rule]]", "[[rule]]\nunless = [\"送好礼\"]"), "line 8", "which one holds"),
            ("marketing.toml", good.replace('violates = ["开户送好礼"]', 'violates = ["年费200元"]'), "line 14", "does not find its own test"),
            ("marketing.toml", HEAD.format(kind="marketing", version="3", begins="2026-01-01") + BLOCKING, "line 7", "block everything"),
            ("marketing.toml", good.replace("owner", "ownr"), "line", "owner"),
            ("marketing.toml", good.replace('kind = "marketing"', 'kind = "egress"'), "line 7", "no setting"),
            ("egress.toml", link + 'images = "allow"\nlinks = "mask"\nplain_links = "allow"\n', "line 7", "without a click"),
            ("egress.toml", link + 'links = "allow"\nplain_links = "withhold"\n', "line 8", "contradicts itself"),
            ("personal_data.toml", types + '[[type]]\nname = "bank_card"\nclass = "C2"\naction = "mask"\nanswer = "refuse"\n', "line 7", "block everything"),
            ("personal_data.toml", types + '[[type]]\nname = "password"\nclass = "C3"\naction = "allow"\n', "line 7", "contradicts its class"),
            ("tools.toml", HEAD.format(kind="tools", version="1", begins="2026-01-01"), "line", "every call would be denied")):
        before = (folder / file).read_text() if (folder / file).exists() else None
        (folder / file).write_text(text)
        said = reload(server, file)
        assert line in said and reason in said, (said, line, reason)
        still = policy(server, "marketing")
        assert (still["version"], [r["id"] for r in still["rules"]]) == ("2", ["free-gift"]), said
        assert policy(server, "egress")["version"] == "1.0" and policy(server, "personal_data")["version"] == "1.0"
        assert withheld(server, "开户送好礼") and not withheld(server, "What is the annual fee?")
        (folder / file).write_text(before) if before else (folder / file).unlink()
    # one that is not in force yet changes nothing
    (folder / "marketing.toml").write_text(good.replace("2026-01-01", "2999-01-01").replace('version = "2"', 'version = "9"'))
    reload(server, '"ok"')
    assert policy(server, "marketing")["version"] == "1.0" and withheld(server, "本产品保本保收益")
