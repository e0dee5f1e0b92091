"""The scenarios of this folder against the real program, the default chat model and the sample documents."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "http")]
from conftest import CHAT, ROOT, Server, eventually  # noqa: E402
from run import ask, complaints, lines_of  # noqa: E402


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("scenarios") / "bank", [(f'chat = "{CHAT}"', 'chat = "qwen2.5-coder-1.5b-instruct"'), ("context_tokens = 4096", "context_tokens = 8192")])
    made.run("ingest", ROOT / "samples/documents", "--kb", "demo", "--dir", made.folder)
    made.start()
    assert eventually(lambda: made.call("GET", "/v1/kb").json()["knowledge_bases"][0]["chunks_without_vector"] == 0, 300)
    yield made
    made.stop()


@pytest.mark.parametrize("path", sorted(HERE.glob("*.jsonl")), ids=lambda path: path.stem)
def test_scenario(demo, path):
    head, turns = lines_of(path)
    history, wrong = [], []
    for turn in turns:
        answer = ask(demo.url, demo.key, {"kb": head["kb"], "question": turn["ask"], "stream": False, "history": history}, 600)
        wrong += [f"{turn['ask']}: {answer['answer']!r}: {complaint}" for complaint in complaints(turn, answer)]
        if head.get("conversation"):
            history += [{"role": "user", "content": turn["ask"]}, {"role": "assistant", "content": answer["answer"]}]
    assert not wrong, "\n".join(wrong)
