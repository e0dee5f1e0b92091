"""Starts the real program and gives tests its address and keys. Skips only where the program is not built."""
import json
import os
import pathlib
import signal
import subprocess
import time

import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HENG_BIN", ROOT / "build/release/bin"))
CHAT = "qwen2.5-coder-0.5b-instruct"
EMBEDDING = "multilingual-e5-small"

FEES_EN = """# Harbour Bank card fees

## Annual fee

The Harbour Classic card has an annual fee of 120 yuan. The annual fee is waived after 6 purchases in the year.

## Foreign transactions

The fee for foreign transactions is 1.5 percent of the amount.
"""
FEES_ZH = """# 海港银行信用卡费率

## 年费

海港金卡的年费为每年300元。全年消费满12次可免次年年费。

## 取现

境内取现手续费为取现金额的1%，最低10元。
"""


def pytest_collection_modifyitems(items):
    if (BIN / "heng").exists():
        return
    for item in items:
        item.add_marker(pytest.mark.skip(reason=f"{BIN / 'heng'} is not built: run scripts/build release"))


class Server:
    """A folder made by `heng init`, served by `heng serve`."""

    def __init__(self, folder, config=()):
        self.folder = pathlib.Path(folder)
        self.key = json.loads(self.run("init", self.folder, "--json"))["key"]
        file = self.folder / "heng.toml"
        text = file.read_text().replace('# chat = ""', f'chat = "{CHAT}"').replace("# context_tokens = 16384", "context_tokens = 4096")
        for old, new in config:
            assert old in text, old
            text = text.replace(old, new)
        file.write_text(text)
        self.process = None
        self.url = ""

    @staticmethod
    def run(*arguments):
        done = subprocess.run([BIN / "heng", *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "HENG_LANG": "en"})
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def start(self, ready=True):
        self.log = open(self.folder / "server.log", "ab")
        self.process = subprocess.Popen([BIN / "heng", "serve", "--dir", self.folder, "--port", "0"], stdout=subprocess.PIPE,
                                        stderr=self.log, text=True, env={**os.environ, "HENG_LANG": "en"})
        try:
            self.wait_until_ready(ready)
        except BaseException:
            self.process.kill()
            raise
        return self

    def wait_until_ready(self, ready):
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http"), self.logged()[-2000:]
        deadline = time.time() + 120
        while ready and requests.get(self.url + "/readyz", verify=False, timeout=30).status_code != 200:
            assert time.time() < deadline, requests.get(self.url + "/readyz", verify=False, timeout=30).text
            time.sleep(0.2)

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(timeout=60)
        return self.process.returncode

    def logged(self):
        return (self.folder / "server.log").read_text()

    def call(self, method, path, key=None, **options):
        headers = {"Authorization": f"Bearer {key or self.key}", **options.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=options.pop("timeout", 120), **options)

    def new_key(self, **fields):
        made = self.call("POST", "/v1/keys", json={"user": "test", "roles": ["analyst"], **fields})
        assert made.status_code == 201, made.text
        return made.json()

    def metric(self, name):
        """The value of a metric's line, 0 where it is not there yet."""
        for line in requests.get(self.url + "/metrics", timeout=30).text.splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0


def eventually(condition, seconds=20):
    deadline = time.time() + seconds
    while time.time() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("heng") / "bank").start()
    assert made.call("POST", "/v1/kb", json={"name": "fees"}).status_code == 201
    for name, text in (("fees_en.md", FEES_EN), ("费率.md", FEES_ZH)):
        sent = made.call("POST", "/v1/kb/fees/documents", params={"path": name}, data=text.encode())
        assert sent.status_code == 201 and sent.json()["outcome"] == "added", sent.text
    assert eventually(lambda: made.call("GET", "/v1/kb").json()["knowledge_bases"][0]["chunks_without_vector"] == 0, 180)
    yield made
    code = made.stop()
    assert code == 0, made.logged()[-2000:]


@pytest.fixture
def fresh(tmp_path):
    """A server of the test's own: fresh(config) starts one."""
    made = []

    def start(config=(), ready=True):
        made.append(Server(tmp_path / f"bank{len(made)}", config).start(ready))
        return made[-1]

    yield start
    for one in made:
        one.stop()
