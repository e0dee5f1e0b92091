"""People with passwords on the command line."""
import base64
import hmac
import json
import struct
import time

GOOD = "a long sentence 7\n"


def totp(uri, step_offset=0):
    secret = uri.split("secret=")[1].split("&")[0]
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + step_offset), "sha1").digest()
    at = digest[19] & 15
    return f"{(struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1_000_000:06d}"


def test_accounts(empty):
    empty.here("user", "add", "lihua", "--roles", "analyst,reviewer", "--desk", "loans", "--clearance", "C2", text=GOOD)
    listed = empty.json("user", "list")
    assert [(u["user"], u["roles"], u["desk"], u["clearance"], u["totp"]) for u in listed] == [("lihua", ["analyst", "reviewer"], "loans", "C2", False)]
    assert "already" in empty.here("user", "add", "lihua", text=GOOD, code=None).stderr
    for weak in ("short\n", "aaaaaaaaaaaaaaaa\n", "password1234\n", "\n"):
        assert "password" in empty.here("user", "add", "other", text=weak, code=None).stderr
    assert empty.here("user", "passwd", "nobody", text=GOOD, code=None).returncode != 0
    uri = empty.here("user", "totp", "lihua", "--json").stdout.splitlines()[0]
    assert uri.startswith("otpauth://totp/")
    assert empty.here("user", "totp", "lihua", "--code", "000000", code=None).returncode != 0
    assert not empty.json("user", "list")[0]["totp"]
    code = totp(uri)
    empty.here("user", "totp", "lihua", "--code", code)
    assert empty.json("user", "list")[0]["totp"]
    assert empty.here("user", "totp", "lihua", "--code", code, code=None).returncode != 0, "a code serves once"
    empty.here("user", "totp", "lihua", "--off")
    empty.here("user", "disable", "lihua")
    assert empty.json("user", "list")[0]["disabled"]
    actions = [r["opened"]["action"] for r in empty.json("audit", "tail", "-n", "50")]
    for action in ("user.create", "user.totp_begin", "user.totp_on", "user.totp_off", "user.disable"):
        assert action in actions
    text = json.dumps(empty.json("audit", "tail", "-n", "50"))
    assert GOOD.strip() not in text


def test_only_administrators_manage_people(empty):
    analyst = json.loads(empty.here("key", "create", "--name", "a", "--user", "a", "--roles", "analyst", "--json").stdout)["secret"]
    shop = json.loads(empty.here("key", "create", "--name", "s", "--user", "s", "--tenant", "shop", "--roles", "admin", "--json").stdout)["secret"]
    for key in (analyst, shop, "heng_nonsense"):
        assert empty.here("user", "add", "eve", "--roles", "admin", text=GOOD, environment={"HENG_KEY": key}, code=None).returncode != 0
    assert empty.json("user", "list") == []
    empty.here("user", "add", "eve", "--tenant", "shop", text=GOOD, environment={"HENG_KEY": shop})
