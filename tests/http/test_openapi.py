"""The description of the interface is complete and true: schemathesis, bounded."""
import pathlib
import subprocess
import sys

import requests

# A schema cannot say which bytes are a readable PDF: there a request that fits the schema may be refused.
CONFIG = """[phases.stateful]
enabled = false

[checks.positive_data_acceptance]
expected-statuses = ["2xx", 401, 403, 404, 409, 422, 429]

[[operations]]
include-operation-id = "addDocument"
checks.positive_data_acceptance.enabled = false

# a password that is a sequence, and a tool to stop without a name, fit the schema and are refused
[[operations]]
include-operation-id = "createUser"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-operation-id = "stop"
checks.positive_data_acceptance.enabled = false

# Nor what a file of requests is, nor which files there are.
[[operations]]
include-operation-id = "uploadFile"
checks.positive_data_acceptance.enabled = false

[[operations]]
include-operation-id = "createBatch"
checks.positive_data_acceptance.enabled = false

# Nor that "from" lies before "to".
[[operations]]
include-operation-id = "brief"
checks.positive_data_acceptance.enabled = false
"""


def test_schemathesis(fresh, tmp_path):
    server = fresh()  # one of its own: it deletes what it finds
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    done = subprocess.run(
        [pathlib.Path(sys.executable).parent / "schemathesis", "run", server.url + "/openapi.json", "--header", f"Authorization: Bearer {server.key}",
         "--phases", "examples,coverage,fuzzing", "--max-examples", "8", "--seed", "42", "--request-timeout", "120",
         # it would revoke the key it runs with
         "--exclude-operation-id", "revokeKey",
         # it never ends
         "--exclude-operation-id", "followAlerts"],
        cwd=tmp_path, capture_output=True, text=True, timeout=420)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_every_described_route_wants_a_key_unless_it_says_otherwise(server):
    description = requests.get(server.url + "/openapi.json").json()
    assert len(description["paths"]) >= 20
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            target = path.replace("{kb}", "fees").replace("{id}", "1").replace("{index}", "1").replace("{model}", "x").replace("{name}", "news")
            code = requests.request(method, server.url + target).status_code
            # no body to log in with; no identity provider to sign in at
            open_to_all = {"/v1/login": 400, "/v1/oidc/finish": 400, "/v1/oidc/start": 404, "/v1/oidc/logout": 404}.get(path, 200)
            assert code == (open_to_all if "security" in operation else 401), (method, path)
