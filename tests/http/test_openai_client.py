"""A tour with OpenAI's own client, unchanged."""
import base64
import json
import struct

import openai
import pytest

from conftest import CHAT, EMBEDDING

SAY = [{"role": "user", "content": "Reply with one short sentence about interest rates."}]


@pytest.fixture(scope="module")
def client(server):
    return openai.OpenAI(base_url=server.url + "/v1", api_key=server.key, max_retries=0, timeout=120)


def test_models(client):
    names = [model.id for model in client.models.list()]
    assert CHAT in names and EMBEDDING in names and "heng/kb:fees" in names
    assert client.models.retrieve(CHAT).owned_by == "heng"
    assert client.models.retrieve("heng/kb:fees").id == "heng/kb:fees"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-0")


def test_chat_and_seed(client):
    # the first reads the prompt, later ones take it from the prefix tree: equal shapes give equal numbers
    client.chat.completions.create(model=CHAT, messages=SAY, max_tokens=24, temperature=0.8, seed=5)
    # the first request fills the prefix tree; a prompt read in one piece may differ from a cached one in the last bits
    client.chat.completions.create(model=CHAT, messages=SAY, max_tokens=1)
    # a request that another test abandoned may still be in the batch of one of them: two of four must be equal
    said = [client.chat.completions.create(model=CHAT, messages=SAY, max_tokens=24, temperature=0.8, seed=5) for _ in range(4)]
    one = said[0]
    assert one.choices[0].message.role == "assistant" and one.choices[0].message.content.strip()
    assert len({reply.choices[0].message.content for reply in said}) < 4
    assert one.choices[0].finish_reason in ("stop", "length")
    assert one.usage.total_tokens == one.usage.prompt_tokens + one.usage.completion_tokens
    assert one.object == "chat.completion" and one.model == CHAT


def test_length_and_stop(client):
    short = client.chat.completions.create(model=CHAT, messages=SAY, max_completion_tokens=2)
    assert short.choices[0].finish_reason == "length" and short.usage.completion_tokens == 2
    count = [{"role": "user", "content": "Count from 1 to 9, separated by commas, nothing else."}]
    stopped = client.chat.completions.create(model=CHAT, messages=count, max_tokens=40, stop=["5"])
    assert "5" not in stopped.choices[0].message.content and stopped.choices[0].finish_reason == "stop"


def test_stream_equals_whole(client):
    whole = client.chat.completions.create(model=CHAT, messages=SAY, max_tokens=24, temperature=0)
    chunks = list(client.chat.completions.create(model=CHAT, messages=SAY, max_tokens=24, temperature=0, stream=True,
                                                 stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == whole.choices[0].message.content
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason] == [whole.choices[0].finish_reason]
    assert len({chunk.id for chunk in chunks}) == 1


def test_chinese_stream_has_whole_characters(client):
    stream = client.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": "用一句话解释什么是利率。"}], max_tokens=40, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert text and "\ufffd" not in text


def test_logprobs(client):
    reply = client.chat.completions.create(model=CHAT, messages=SAY, max_tokens=5, logprobs=True, top_logprobs=3)
    content = reply.choices[0].logprobs.content
    assert len(content) == reply.usage.completion_tokens
    for token in content:
        assert token.logprob <= 0 and len(token.top_logprobs) == 3
        assert bytes(token.bytes).decode(errors="ignore") in token.token or "\ufffd" in token.token
    streamed = client.chat.completions.create(model=CHAT, messages=SAY, max_tokens=5, logprobs=True, top_logprobs=3, stream=True)
    tokens = [t for chunk in streamed if chunk.choices and chunk.choices[0].logprobs for t in chunk.choices[0].logprobs.content]
    assert [t.token for t in tokens] == [t.token for t in content]


def test_json_schema(client):
    schema = {"type": "object", "properties": {"currency": {"type": "string", "enum": ["CNY", "USD"]}, "amount": {"type": "integer"}},
              "required": ["currency", "amount"], "additionalProperties": False}
    reply = client.chat.completions.create(
        model=CHAT, messages=[{"role": "user", "content": "The fee is 120 yuan. Give currency and amount as JSON."}], max_tokens=60,
        response_format={"type": "json_schema", "json_schema": {"name": "fee", "schema": schema, "strict": True}})
    value = json.loads(reply.choices[0].message.content)
    assert value["currency"] in ("CNY", "USD") and isinstance(value["amount"], int) and set(value) == {"currency", "amount"}


def test_json_object(client):
    reply = client.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": "Give a JSON object with one key 'rate' and value 3."}],
                                           max_tokens=100, response_format={"type": "json_object"})
    assert isinstance(json.loads(reply.choices[0].message.content), dict)


TOOLS = [{"type": "function", "function": {"name": "get_rate", "description": "Interest rate of a product",
          "parameters": {"type": "object", "properties": {"product": {"type": "string"}}, "required": ["product"]}}}]
ASK_TOOL = [{"role": "user", "content": "What is the rate of the product 'deposit'? Use the tool."}]


def test_tools(client):
    reply = client.chat.completions.create(model=CHAT, messages=ASK_TOOL, tools=TOOLS, tool_choice="required", max_tokens=80)
    call = reply.choices[0].message.tool_calls[0]
    assert reply.choices[0].finish_reason == "tool_calls"
    assert call.function.name == "get_rate" and "product" in json.loads(call.function.arguments)
    after = client.chat.completions.create(
        model=CHAT, max_tokens=40, tools=TOOLS,
        messages=[*ASK_TOOL, reply.choices[0].message.model_dump(exclude_none=True), {"role": "tool", "tool_call_id": call.id, "content": "1.5 percent"}])
    assert after.choices[0].message.content or after.choices[0].message.tool_calls


def test_streamed_tools_join_to_the_same_call(client):
    name, arguments, finish = "", "", None
    for chunk in client.chat.completions.create(model=CHAT, messages=ASK_TOOL, tools=TOOLS, tool_choice="required", max_tokens=80, stream=True):
        for part in chunk.choices[0].delta.tool_calls or []:
            assert part.index == 0
            name += part.function.name or ""
            arguments += part.function.arguments or ""
        finish = chunk.choices[0].finish_reason or finish
    assert name == "get_rate" and "product" in json.loads(arguments) and finish == "tool_calls"


def test_completions(client):
    reply = client.completions.create(model=CHAT, prompt="1, 2, 3, 4,", max_tokens=4, temperature=0)
    assert "5" in reply.choices[0].text
    text = "".join(c.choices[0].text for c in client.completions.create(model=CHAT, prompt="1, 2, 3, 4,", max_tokens=4, temperature=0, stream=True))
    assert text == reply.choices[0].text


def test_embeddings(client):
    texts = ["The annual fee is waived.", "年费可免。", "Cats sleep."]
    floats = client.embeddings.create(model=EMBEDDING, input=texts, encoding_format="float")
    assert [item.index for item in floats.data] == [0, 1, 2] and floats.usage.prompt_tokens > 0
    default = client.embeddings.create(model=EMBEDDING, input=texts)  # the client asks for base64 by itself
    assert max(abs(a - b) for a, b in zip(floats.data[0].embedding, default.data[0].embedding)) < 1e-5
    raw = client.post("/embeddings", cast_to=object, body={"model": EMBEDDING, "input": "x", "encoding_format": "base64"})
    vector = base64.b64decode(raw["data"][0]["embedding"])
    assert abs(sum(v * v for v in struct.unpack(f"<{len(vector) // 4}f", vector)) - 1) < 1e-3
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model=EMBEDDING, input="x", dimensions=7)


@pytest.mark.parametrize("question, figure", [("What is the annual fee of the Harbour Classic card?", "120"), ("海港金卡的年费是多少？", "300")])
def test_knowledge_base_as_model(client, question, figure):
    reply = client.chat.completions.create(model="heng/kb:fees", messages=[{"role": "user", "content": question}])
    message = reply.choices[0].message
    assert figure in message.content and "[1]" in message.content
    answer = message.model_extra["heng"]
    assert answer["citations"] and not answer["abstained"] and answer["audit_index"] >= 0
    chunks = list(client.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": question}], stream=True, extra_body={"heng": {"kb": "fees"}}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks)
    assert figure in text and chunks[-1].model_extra["heng"]["citations"]


def test_errors_are_the_clients_own(client, server):
    with pytest.raises(openai.AuthenticationError) as wrong:
        openai.OpenAI(base_url=server.url + "/v1", api_key="heng_wrong_key", max_retries=0).models.list()
    assert wrong.value.type == "authentication_error" and "www-authenticate" in wrong.value.response.headers
    with pytest.raises(openai.NotFoundError) as missing:
        client.chat.completions.create(model="gpt-0", messages=SAY)
    assert missing.value.param == "model" and CHAT in missing.value.message
    with pytest.raises(openai.BadRequestError) as several:
        client.chat.completions.create(model=CHAT, messages=SAY, n=2)
    assert several.value.param == "n"
    with pytest.raises(openai.BadRequestError) as hot:
        client.chat.completions.create(model=CHAT, messages=SAY, temperature="hot")
    assert hot.value.param == "temperature"
    with pytest.raises(openai.APIStatusError) as long:
        client.chat.completions.create(model=CHAT, messages=[{"role": "user", "content": "word " * 200_000}])
    assert long.value.status_code == 413 and "4096" in long.value.message.replace(",", "")
    assert long.value.request_id
