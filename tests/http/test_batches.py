"""Files and batches with OpenAI's own client, unchanged: results, bad lines, cancel, expiry, tenants, a kill in the middle."""
import json
import signal
import time

import openai
import pytest
import requests

from conftest import CHAT, EMBEDDING, Server, eventually


def train(folder):
    rows = folder / "rows.jsonl"
    words = {"up": ["profit rose", "股价涨停"], "down": ["profit fell", "股价跌停"]}
    rows.write_text("".join(json.dumps({"text": f"{words[label][i % 2]} {i}", "label": label}) + "\n" for i in range(40) for label in words))
    Server.run("train", "--task", "tone", "--in", rows, "--linear-only", "--dir", folder)


def client_of(server, key=None):
    return openai.OpenAI(base_url=server.url + "/v1", api_key=key or server.key, max_retries=0, timeout=120)


@pytest.fixture(scope="module")
def bank(tmp_path_factory):
    folder = tmp_path_factory.mktemp("batches") / "bank"
    made = Server(folder)
    train(folder)
    made.start()
    yield made
    assert made.stop() == 0, made.logged()[-2000:]


@pytest.fixture(scope="module")
def client(bank):
    return client_of(bank)


def line(custom_id, body, url="/v1/label"):
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": url, "body": body}, ensure_ascii=False)


def label(i):
    return line(f"r{i}", {"task": "tone", "texts": [f"profit {'rose' if i % 2 else 'fell'} {i}"]})


def upload(client, text, name="in.jsonl", **more):
    return client.files.create(file=(name, text if isinstance(text, bytes) else text.encode()), purpose="batch", **more)


def run(client, text, endpoint="/v1/label", **more):
    return client.batches.create(input_file_id=upload(client, text).id, endpoint=endpoint, completion_window=more.pop("window", "24h"), **more)


def over(client, batch, seconds=120):
    assert eventually(lambda: client.batches.retrieve(batch.id).status in ("completed", "failed", "expired", "cancelled"), seconds), client.batches.retrieve(batch.id)
    return client.batches.retrieve(batch.id)


def content(client, file_id):
    return [json.loads(each) for each in client.files.content(file_id).text.splitlines()] if file_id else []


def test_files(client):
    text = label(1) + "\n"
    made = upload(client, text, "请求.jsonl")
    assert made.object == "file" and made.filename == "请求.jsonl" and made.bytes == len(text.encode()) and made.status == "processed" and made.expires_at - made.created_at == 30 * 86400
    assert client.files.retrieve(made.id) == made
    assert client.files.content(made.id).read() == text.encode()
    assert made.id in [each.id for each in client.files.list(purpose="batch", limit=2)]
    assert client.files.delete(made.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.content(made.id)
    short = upload(client, text, expires_after={"anchor": "created_at", "seconds": 3600})
    assert short.expires_at - short.created_at == 3600


def test_lists_are_walked_page_by_page(client):
    ids = [upload(client, "{}").id for _ in range(5)]
    walked = [each.id for each in client.files.list(limit=2, order="asc")]
    assert [each for each in walked if each in ids] == ids


@pytest.mark.parametrize("name, text, purpose, says", [("a.csv", b"a,b", "batch", ".jsonl"), ("a.jsonl", b"%PDF-1.7", "batch", "PDF"), ("a.jsonl", b"PK\x03\x04..", "batch", "ZIP"), ("a.jsonl", b"", "batch", "empty"),
                                                       ("a.jsonl", b"[{}]", "batch", "array"), ("a.jsonl", b"{\x00}", "batch", "zero"), ("a.jsonl", b"{}", "fine-tune", "purpose"),
                                                       ("a.jsonl", "{}".encode("utf-16"), "batch", "UTF-16")])
def test_files_that_are_none(client, name, text, purpose, says):
    with pytest.raises(openai.BadRequestError, match=says):
        client.files.create(file=(name, text), purpose=purpose)


def test_labels_with_bad_lines(client):
    million = line("long", {"task": "tone", "texts": ["x" * 1_000_000]})
    lines = [label(0).encode(), b"{not json", b'{"custom_id":"bytes","method":"POST","url":"/v1/label","body":{"task":"\xff\xfe"}}', b"", line("none", {"task": "no-such-task", "texts": ["x"]}).encode(),
             label(0).encode(), line("other", {"task": "tone", "texts": ["x"]}, "/v1/embeddings").encode(), million.encode(),
             line("nine", {"task": "tone", "texts": ["x" * 9_000_000]}).encode(), label(1).encode()]
    batch = run(client, b"\n".join(lines), metadata={"desk": "研究"})
    assert batch.status == "validating" and batch.object == "batch" and batch.metadata == {"desk": "研究"}
    done = over(client, batch)
    assert done.status == "completed" and done.completed_at and done.in_progress_at and done.request_counts.total == 9
    out, failed = content(client, done.output_file_id), content(client, done.error_file_id)
    assert [each["custom_id"] for each in out] == ["r0", "long", "r1"]
    assert out[0]["response"]["status_code"] == 200 and out[0]["response"]["body"]["results"][0]["label"] == "down" and out[0]["error"] is None
    assert out[1]["response"]["body"]["results"][0]["error"]["code"] == "too_large" or "longer" in json.dumps(out[1]["response"]["body"])
    assert [(each["custom_id"], (each["error"] or {}).get("line")) for each in failed] == [(None, 2), (None, 3), ("none", None), ("r0", 6), ("other", 7), (None, 9)]
    assert failed[2]["response"]["status_code"] == 404 and "no-such-task" in failed[2]["response"]["body"]["error"]["message"]
    assert "UTF-8" in failed[1]["error"]["message"] and "line 1" in failed[3]["error"]["message"] and "8388608" in failed[5]["error"]["message"]
    assert [each.line for each in done.errors.data] == [2, 3, 6, 7, 9]
    assert done.request_counts.completed == len(out) and done.request_counts.failed == len(failed)


def test_chat_embeddings_and_extract(client):
    say = [{"role": "user", "content": "Reply with the single word rate."}]
    chat = run(client, "\n".join([line(f"c{i}", {"model": CHAT, "messages": say, "max_tokens": 4}, "/v1/chat/completions") for i in range(3)]
                                 + [line("streams", {"model": CHAT, "messages": say, "stream": True}, "/v1/chat/completions"), line("none", {"model": "gpt-0", "messages": say}, "/v1/chat/completions")]),
               "/v1/chat/completions")
    vectors = run(client, "\n".join(line(f"e{i}", {"model": EMBEDDING, "input": ["一", "two"]}, "/v1/embeddings") for i in range(2)), "/v1/embeddings")
    extract = run(client, line("x", {"task": "entities", "items": ["贵州茅台600519涨3.5%"]}, "/v1/extract"), "/v1/extract")
    done = over(client, chat)
    out = content(client, done.output_file_id)
    assert [each["custom_id"] for each in out] == ["c0", "c1", "c2"] and done.request_counts.failed == 2
    whole = openai.types.chat.ChatCompletion.model_validate(out[0]["response"]["body"])
    assert whole.choices[0].message.content and done.usage.output_tokens >= 3 and done.usage.input_tokens > 3
    assert {each["custom_id"]: (each["response"] or {}).get("status_code") for each in content(client, done.error_file_id)} == {"streams": None, "none": 404}
    assert len(content(client, over(client, vectors).output_file_id)[1]["response"]["body"]["data"]) == 2
    found = content(client, over(client, extract).output_file_id)[0]["response"]["body"]["results"][0]["entities"]
    assert any(each.get("id") == "600519.SH" for each in found)


def test_refusals(client, bank):
    file = upload(client, label(1))
    for body, says in (({"endpoint": "/v1/audit"}, "endpoint"), ({"completion_window": "soon"}, "completion_window"), ({"metadata": {str(i): "x" for i in range(17)}}, "metadata")):
        with pytest.raises(openai.BadRequestError, match=says):
            client.batches.create(**{"input_file_id": file.id, "endpoint": "/v1/label", "completion_window": "24h", **body})
    with pytest.raises(openai.NotFoundError):
        client.batches.create(input_file_id="file-" + "0" * 24, endpoint="/v1/label", completion_window="24h")
    with pytest.raises(openai.NotFoundError):
        client.batches.retrieve("batch_0")
    nothing = over(client, run(client, "{\n"))
    assert nothing.status == "failed" and nothing.errors.data[0].code == "no_usable_line"
    with pytest.raises(openai.ConflictError):
        client.batches.cancel(nothing.id)
    assert requests.get(bank.url + "/v1/files").status_code == 401
    assert bank.call("POST", "/v1/files", data=b"x", headers={"Content-Type": "text/plain"}).status_code == 400
    assert bank.call("GET", "/v1/files?limit=0").status_code == 400


def test_tenants_and_users_are_apart(client, bank):
    mine = over(client, run(client, label(1)))
    secret = json.loads(bank.run("key", "create", "--name", "shop", "--user", "boss", "--tenant", "shop", "--roles", "admin", "--dir", bank.folder, "--json"))["secret"]
    elsewhere = client_of(bank, secret)
    colleague = client_of(bank, bank.new_key(user="bo")["secret"])
    for other in (colleague, elsewhere):
        for refused in (lambda: other.files.retrieve(mine.input_file_id), lambda: other.files.content(mine.output_file_id), lambda: other.files.delete(mine.input_file_id),
                        lambda: other.batches.retrieve(mine.id), lambda: other.batches.cancel(mine.id),
                        lambda: other.batches.create(input_file_id=mine.input_file_id, endpoint="/v1/label", completion_window="24h")):
            with pytest.raises(openai.NotFoundError):
                refused()
        assert list(other.files.list()) == [] and list(other.batches.list()) == []
    assert mine.id in [each.id for each in client.batches.list(limit=1)]


def test_cancel_and_expiry(client):
    slow = [line(f"c{i}", {"model": CHAT, "messages": [{"role": "user", "content": f"Write a long story about bond number {i}."}], "max_tokens": 400}, "/v1/chat/completions") for i in range(20)]
    batch = run(client, "\n".join(slow), "/v1/chat/completions")
    short = run(client, "\n".join(slow), "/v1/chat/completions", window="2s")
    assert eventually(lambda: client.batches.retrieve(batch.id).status == "in_progress")
    with pytest.raises(openai.ConflictError, match=batch.id):
        client.files.delete(batch.input_file_id)
    began = time.time()
    assert client.batches.cancel(batch.id).status in ("cancelling", "cancelled")
    done = over(client, batch)
    assert done.status == "cancelled" and done.cancelled_at and time.time() - began < 20
    assert done.request_counts.completed + done.request_counts.failed == 20
    assert content(client, done.error_file_id)[-1]["error"]["code"] == "batch_cancelled"
    expired = over(client, short)
    assert expired.status == "expired" and content(client, expired.error_file_id)[-1]["error"]["code"] == "batch_expired"


def test_interactive_work_goes_first(client, bank):
    ask = {"model": CHAT, "messages": [{"role": "user", "content": "Name one bond."}], "max_tokens": 8}
    client.chat.completions.create(**ask)
    slow = [line(f"c{i}", {"model": CHAT, "messages": [{"role": "user", "content": f"Write a long story about share number {i}."}], "max_tokens": 300}, "/v1/chat/completions") for i in range(12)]
    batch = run(client, "\n".join(slow), "/v1/chat/completions")
    assert eventually(lambda: client.batches.retrieve(batch.id).status == "in_progress")
    time.sleep(1)
    began = time.time()
    client.chat.completions.create(**ask)
    took = time.time() - began
    client.batches.cancel(batch.id)
    assert took < 15, f"an interactive answer of 8 tokens took {took:.1f} s behind a batch"
    over(client, batch)


def test_a_lost_key_ends_its_batch(bank, client):
    key = bank.new_key(user="gone")
    mine = client_of(bank, key["secret"])
    slow = [line(f"c{i}", {"model": CHAT, "messages": [{"role": "user", "content": f"Write a story about {i}."}], "max_tokens": 200}, "/v1/chat/completions") for i in range(12)]
    batch = run(mine, "\n".join(slow), "/v1/chat/completions")
    assert eventually(lambda: mine.batches.retrieve(batch.id).status == "in_progress")
    assert bank.call("DELETE", f"/v1/keys/{key['id']}").status_code == 204
    done = over(client, batch)   # an administrator sees it
    assert done.status == "failed" and done.errors.data[0].code == "unauthenticated" and done.request_counts.failed > 0


def test_a_quota_holds_for_lines(bank):
    key = bank.new_key(user="few", quota={"requests_per_minute": 6})
    mine = client_of(bank, key["secret"])
    batch = run(mine, "\n".join(label(i) for i in range(30)))
    time.sleep(4)
    seen = client_of(bank).batches.retrieve(batch.id)
    assert seen.status == "in_progress" and 0 < seen.request_counts.completed <= 6, seen.request_counts
    client_of(bank).batches.cancel(batch.id)


def test_lines_are_on_record(bank, client):
    batch = over(client, run(client, label(1)))
    records = bank.call("GET", "/v1/audit?limit=40").json()["records"]
    actions = [json.dumps(each) for each in records]
    for action in ("file.add", "batch.create", "batch.end", "file.read"):
        if action == "file.read":
            content(client, batch.output_file_id)
            actions = [json.dumps(each) for each in bank.call("GET", "/v1/audit?limit=40").json()["records"]]
        assert any(action in each for each in actions), action
    assert any('"label"' in each for each in actions)


def test_killed_in_the_middle_goes_on_without_a_line_twice(tmp_path):
    server = Server(tmp_path / "bank")
    train(server.folder)
    server.start()
    client = client_of(server)
    count = 3000
    batch = run(client, "\n".join(label(i) for i in range(count)))
    kills = 0
    for part in (0.1, 0.4, 0.7):
        assert eventually(lambda: client.batches.retrieve(batch.id).request_counts.completed >= part * count, 120)
        before = client.batches.retrieve(batch.id)
        if before.status != "in_progress":
            break
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        kills += 1
        server.start(ready=False)
        client = client_of(server)
        after = client.batches.retrieve(batch.id)
        assert after.request_counts.completed >= before.request_counts.completed
    assert kills >= 2
    done = over(client, batch, 180)
    out = content(client, done.output_file_id)
    assert [each["custom_id"] for each in out] == [f"r{i}" for i in range(count)]
    assert len({each["id"] for each in out}) == count and done.request_counts.completed == count and not done.error_file_id
    assert [each["response"]["body"]["results"][0]["label"] for each in out[:2]] == ["down", "up"]
    marker = b"profit rose 1"
    for file in (server.folder / "data").glob("batches*"):
        assert marker not in file.read_bytes(), file
    assert server.stop() == 0
