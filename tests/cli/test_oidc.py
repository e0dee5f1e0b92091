"""[oidc] in heng.toml: what does not hold is named with file and line, before anything is served."""
import re

import pytest

GOOD = """
[oidc]
name = "Harbour Bank"
issuer = "https://login.bank.example"
client_id = "heng"
client_secret_file = "oidc.secret"
redirect = "https://heng.bank.example/sign-in"

[[oidc.map]]
claim = "groups"
value = "staff"
roles = ["analyst"]
clearance = "C2"
"""


def refuse(empty, change, code=None):
    file = empty.folder / "heng.toml"
    before = file.read_text()
    old, new = change
    assert old in GOOD
    file.write_text(before.replace("# preload = true", "preload = false") + GOOD.replace(old, new))
    said = empty.here("serve", "--port", "0", code=code)
    file.write_text(before)
    assert said.returncode != 0 and "http://127" not in said.stdout
    return said.stderr


@pytest.mark.parametrize("old,new,reason", [
    ("issuer =", "isuer =", 'no setting "isuer"'), ('"https://login.bank.example"', "7", "must be text"), ('client_id = "heng"', "", "needs client_id"),
    ('name = "Harbour Bank"', "skew_s = 900", "must be 0 to 300"),
    ('clearance = "C2"', 'clearance = "C9"', "C1, C2 or C3"), ('value = "staff"', "", "needs claim and value"), ('roles = ["analyst"]', 'roles = "analyst"', "list of texts"),
    ("[[oidc.map]]", "[oidc.map]", "two brackets")])
def test_settings_are_refused_with_their_line(empty, old, new, reason):
    said = refuse(empty, (old, new))
    assert reason in said and re.search(r"heng\.toml, line \d+", said), said


@pytest.mark.parametrize("old,new,reason", [
    ('"https://login.bank.example"', '"http://login.bank.example"', "oidc.issuer must be an https address"),
    ('"https://heng.bank.example/sign-in"', '"https://heng.bank.example/elsewhere"', "oidc.redirect must be"),
    ('name = "Harbour Bank"', 'algorithms = ["RS256", "none"]', 'oidc.algorithms has "none"'), ('name = "Harbour Bank"', 'algorithms = ["HS256"]', "oidc.algorithms"),
    ('name = "Harbour Bank"', 'scopes = ["profile"]', "oidc.scopes")])
def test_what_would_be_unsafe_is_refused(empty, old, new, reason):
    secret = empty.folder / "oidc.secret"
    secret.write_text("s3cret\n")
    secret.chmod(0o600)
    assert reason in refuse(empty, (old, new))


def test_a_secret_that_others_may_read_is_refused(empty):
    assert "cannot read" in refuse(empty, ("[oidc]", "[oidc]"))
    secret = empty.folder / "oidc.secret"
    secret.write_text("s3cret-of-the-client\n")
    secret.chmod(0o644)
    said = refuse(empty, ("[oidc]", "[oidc]"))
    assert "chmod 600" in said and "s3cret" not in said
    secret.write_text("  \n")
    secret.chmod(0o600)
    assert "must hold one secret" in refuse(empty, ("[oidc]", "[oidc]"))
