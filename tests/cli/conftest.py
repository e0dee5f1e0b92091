"""Runs the real program on a fresh folder with the sample documents and the small chat model."""
import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("HENG_BIN", ROOT / "build/release/bin"))
SAMPLES = ROOT / "samples/documents"


class Heng:
    """One folder made by `heng init`."""

    def __init__(self, folder, environment=None):
        self.folder = pathlib.Path(folder)
        self.environment = {**os.environ, "HENG_LANG": "en", **(environment or {})}
        self.key = ""

    def run(self, *arguments, code=0, text=None, environment=None):
        done = subprocess.run([BIN / "heng", *map(str, arguments)], input=text, capture_output=True, text=True, timeout=300,
                              env={**self.environment, **(environment or {})})
        assert code is None or done.returncode == code, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def here(self, *arguments, **options):
        return self.run(*arguments, "--dir", self.folder, **options)

    def json(self, *arguments, **options):
        return [json.loads(line) for line in self.here(*arguments, "--json", **options).stdout.splitlines()]

    def init(self):
        self.key = json.loads(self.run("init", self.folder, "--json").stdout)["key"]
        config = self.folder / "heng.toml"
        config.write_text(config.read_text().replace('# chat = ""', 'chat = "qwen2.5-coder-0.5b-instruct"')
                          .replace("# context_tokens = 16384", "context_tokens = 4096"))
        return self


@pytest.fixture
def empty(tmp_path):
    return Heng(tmp_path / "bank").init()


@pytest.fixture(scope="session")
def bank(tmp_path_factory):
    """With the sample documents ingested; tests must not change its documents."""
    heng = Heng(tmp_path_factory.mktemp("heng") / "bank").init()
    heng.here("ingest", SAMPLES, "--kb", "bank")
    return heng
