#include "heng/api/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "../../http/tests/raw_client.h"
#include "fakes.h"

namespace heng::api {
namespace {

using namespace std::chrono_literals;
using http::RawClient;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::json;

const std::string user = "Authorization: Bearer heng_user\r\n";
const std::string admin = "Authorization: Bearer heng_admin\r\n";

class ApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    settings.http.limits.heartbeat = 100ms;
    auto made = ApiServer::create(settings, {models, knowledge, asker, chatter, identity, audit, audit, feedback, &assets, {}});
    ASSERT_TRUE(made.ok()) << made.error().message;
    server = std::move(*made);
    server->start();
  }

  std::string send(const std::string& bytes) {
    RawClient client(server->port());
    client.send(bytes);
    return client.response();
  }
  std::string send_post(const std::string& target, const std::string& body, const std::string& headers = user) {
    return send(http::post(target, body, headers));
  }
  std::string send_stream(const std::string& target, const std::string& body) {
    RawClient client(server->port());
    client.send(http::post(target, body, user));
    return client.receive_until("0\r\n\r\n");
  }
  static Json body_of(const std::string& answer) { return Json::parse(answer.substr(answer.find("\r\n\r\n") + 4)); }

  ApiSettings settings;
  FakeModels models;
  FakeKnowledge knowledge;
  FakeAsker asker;
  FakeChatter chatter;
  FakeIdentity identity;
  FakeAudit audit;
  FakeFeedback feedback;
  FakeAssets assets;
  std::unique_ptr<ApiServer> server;
};

TEST_F(ApiTest, RefusesAndRecordsWrongKeys) {
  for (const std::string& key : {std::string(), std::string("Authorization: Bearer wrong\r\n"), std::string("Authorization: Basic heng_user\r\n")}) {
    const auto answer = send(http::get("/v1/me", key));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 401"));
    EXPECT_THAT(answer, HasSubstr("www-authenticate: Bearer"));
    EXPECT_EQ(body_of(answer)["error"]["type"], "authentication_error");
  }
  EXPECT_THAT(audit.all(), Contains("refused error:unauthenticated").Times(3));
  EXPECT_EQ(body_of(send(http::get("/v1/me", user)))["tenant"], "bank");
}

TEST_F(ApiTest, AFloodOfWrongKeysDoesNotFillTheLedger) {
  RawClient client(server->port());
  for (int i = 0; i < 500; ++i) {
    client.send(http::get("/v1/me"));
    ASSERT_THAT(client.response(), StartsWith("HTTP/1.1 401"));
  }
  EXPECT_LT(audit.size(), 400);
  EXPECT_THAT(send(http::get("/metrics")), Not(HasSubstr("heng_refusals_unrecorded_total 0")));
}

TEST_F(ApiTest, ChecksRolesAndQuotas) {
  EXPECT_THAT(send(http::get("/v1/keys", user)), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(send(http::get("/v1/audit", user)), StartsWith("HTTP/1.1 403"));
  EXPECT_THAT(send(http::get("/v1/keys", admin)), StartsWith("HTTP/1.1 200"));
  identity.quota = 0;
  const auto limited = send_post("/v1/kb/fees/search", R"({"query":"年费"})");
  EXPECT_THAT(limited, StartsWith("HTTP/1.1 429"));
  EXPECT_THAT(limited, HasSubstr("retry-after: 17"));
  EXPECT_EQ(body_of(limited)["error"]["type"], "rate_limit_error");
  EXPECT_THAT(audit.all(), Contains("refused error:rate_limited"));
}

TEST_F(ApiTest, ChatsInOneAnswer) {
  const auto answer = send_post("/v1/chat/completions",
                                R"({"model":"qwen","messages":[{"role":"developer","content":"s"},{"role":"user","content":[{"type":"text","text":"你好"}]}],)"
                                R"("max_tokens":2,"logprobs":true,"top_logprobs":1,"temperature":0.5,"seed":-3,"stop":["x"],"some_new_field":{"a":1}})");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, HasSubstr("x-heng-audit-index: 41"));
  const auto body = body_of(answer);
  EXPECT_EQ(body["choices"][0]["message"]["content"], "利率 利率 ");
  EXPECT_EQ(body["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(body["choices"][0]["logprobs"]["content"].size(), 2u);
  EXPECT_EQ(body["choices"][0]["logprobs"]["content"][0]["top_logprobs"].size(), 1u);
  EXPECT_EQ(body["usage"]["total_tokens"], 7);
  EXPECT_EQ(identity.spent, 7);
  EXPECT_EQ(chatter.last.chat.messages[0].role, "system");
  EXPECT_EQ(chatter.last.chat.tenant.value, "bank\n\n0\ncurator") << "prompts are shared within a desk, clearance and set of roles";
  EXPECT_EQ(chatter.last.principal.user.value, "li");
}

TEST_F(ApiTest, ChatsInAStream) {
  const auto stream = send_stream("/v1/chat/completions",
                                  R"({"model":"qwen","messages":[{"role":"user","content":"x"}],"max_tokens":2,"stream":true,"stream_options":{"include_usage":true}})");
  EXPECT_THAT(stream, HasSubstr("content-type: text/event-stream"));
  EXPECT_THAT(stream, HasSubstr(R"("delta":{"role":"assistant","content":""})"));
  EXPECT_THAT(stream, HasSubstr(R"("finish_reason":"length")"));
  EXPECT_THAT(stream, HasSubstr(R"("choices":[],"usage":{"prompt_tokens":5)"));
  EXPECT_THAT(stream, HasSubstr("data: [DONE]\n\n"));
}

TEST_F(ApiTest, StreamsToolCallsInParts) {
  const auto stream = send_stream("/v1/chat/completions",
                                  R"({"model":"qwen","messages":[{"role":"user","content":"x"}],"stream":true,"tools":[{"type":"function","function":{"name":"rate","parameters":{"type":"object"}}}]})");
  EXPECT_THAT(stream, HasSubstr(R"("tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"rate","arguments":"{\"a\""}}])"));
  EXPECT_THAT(stream, HasSubstr(R"("function":{"arguments":":1}"}})"));
  EXPECT_THAT(stream, HasSubstr(R"("finish_reason":"tool_calls")"));
}

TEST_F(ApiTest, AnErrorBeforeTheFirstTokenKeepsItsStatus) {
  chatter.error = Error(ErrorCode::overloaded, "the queue of the model is full");
  const auto answer = send_post("/v1/chat/completions", R"({"model":"qwen","messages":[{"role":"user","content":"x"}],"stream":true})");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("retry-after: "));
}

TEST_F(ApiTest, AClientThatLeavesCancelsItsChat) {
  chatter.pause_ms = 5;
  RawClient client(server->port());
  client.send(http::post("/v1/chat/completions", R"({"model":"qwen","messages":[{"role":"user","content":"x"}],"stream":true,"max_tokens":4000})", user));
  client.receive_until("data: ");
  client.close();
  for (int i = 0; i < 1000 && chatter.cancelled == 0; ++i) std::this_thread::sleep_for(5ms);
  EXPECT_EQ(chatter.cancelled, 1);
}

TEST_F(ApiTest, NamesTheFieldThatIsWrong) {
  const auto wrong = [&](const std::string& body) { return body_of(send_post("/v1/chat/completions", body))["error"]; };
  EXPECT_EQ(wrong(R"({"model":"qwen","messages":[{"role":"user","content":5}]})")["param"], "messages[0].content");
  EXPECT_EQ(wrong(R"({"model":"qwen","messages":[{"role":"boss","content":"x"}]})")["param"], "messages[0].role");
  EXPECT_EQ(wrong(R"({"model":"qwen","messages":[]})")["param"], "messages");
  EXPECT_EQ(wrong(R"({"messages":[{"role":"user","content":"x"}]})")["param"], "model");
  EXPECT_EQ(wrong(R"({"model":"qwen","n":2,"messages":[{"role":"user","content":"x"}]})")["param"], "n");
  EXPECT_EQ(wrong(R"({"model":"qwen","temperature":9,"messages":[{"role":"user","content":"x"}]})")["param"], "temperature");
  EXPECT_EQ(wrong(R"({"model":"nope","messages":[{"role":"user","content":"x"}]})")["code"], "not_found");
  EXPECT_EQ(wrong(R"({"model":"qwen","messages":[{"role":"user","content":[{"type":"image_url","image_url":{}}]}]})")["code"], "unsupported");
}

TEST_F(ApiTest, SurvivesHostileJson) {
  const auto status = [&](const std::string& body) { return send_post("/v1/chat/completions", body).substr(9, 3); };
  EXPECT_EQ(status(""), "400");
  EXPECT_EQ(status("[]"), "400");
  EXPECT_EQ(status("{"), "400");
  EXPECT_EQ(status(std::string(1'000'000, '[')), "400");
  EXPECT_EQ(status("{\"model\":" + std::string(70, '[') + std::string(70, ']') + "}"), "400");
  EXPECT_EQ(status(R"({"model":"a","model":"qwen"})"), "400");
  EXPECT_EQ(status(R"({"model":"qwen","max_tokens":1e999})"), "400");
  const auto bad = body_of(send_post("/v1/ask", "{\"kb\":\"\xff\"}"))["error"];
  EXPECT_THAT(bad["message"].get<std::string>(), HasSubstr("UTF-8 at byte 7"));
  const std::string large = R"({"model":"qwen","max_tokens":1,"messages":[{"role":"user","content":")" + std::string(1'000'000, 'x') + R"("}]})";
  EXPECT_EQ(status(large), "200");
}

TEST_F(ApiTest, AsksAKnowledgeBaseInThreeWays) {
  const auto plain = send_post("/v1/ask", R"({"kb":"fees","question":"年费多少？","history":[{"role":"user","content":"信用卡"}],"passages":3})");
  EXPECT_THAT(plain, HasSubstr("x-heng-audit-index: 17"));
  EXPECT_EQ(body_of(plain)["verdict"], "released");
  EXPECT_EQ(asker.last.history.size(), 1u);
  EXPECT_EQ(asker.last.passages, 3);

  const auto events = send_stream("/v1/ask", R"({"kb":"fees","question":"年费多少？","stream":true})");
  EXPECT_THAT(events, HasSubstr("event: sentence\ndata: {\"sentence\":"));
  EXPECT_THAT(events, HasSubstr("event: answer\ndata: {\"answer\":\"年费为100元[1]。次年免费[1]。\""));

  for (const char* how : {R"("model":"heng/kb:fees")", R"("model":"qwen","heng":{"kb":"fees"})"}) {
    const auto chat = body_of(send_post("/v1/chat/completions", std::string("{") + how +
                              R"(,"messages":[{"role":"user","content":"信用卡"},{"role":"assistant","content":"嗯"},{"role":"user","content":"年费？"}]})"));
    EXPECT_EQ(chat["choices"][0]["message"]["content"], "年费为100元[1]。次年免费[1]。");
    EXPECT_EQ(chat["choices"][0]["message"]["heng"]["citations"][0]["n"], 1);
    EXPECT_EQ(asker.last.question, "年费？");
    EXPECT_EQ(asker.last.history.size(), 2u);
  }
  const auto stream = send_stream("/v1/chat/completions", R"({"model":"heng/kb:fees","stream":true,"messages":[{"role":"user","content":"年费？"}]})");
  EXPECT_THAT(stream, HasSubstr(R"("delta":{"content":"次年免费[1]。"})"));
  EXPECT_THAT(stream, HasSubstr("data: [DONE]"));
  EXPECT_THAT(send_post("/v1/ask", R"({"kb":"none","question":"x"})"), StartsWith("HTTP/1.1 404"));
}

TEST_F(ApiTest, EmbedsAndRecords) {
  const auto floats = body_of(send_post("/v1/embeddings", R"({"model":"e5","input":["a","bb"]})"));
  EXPECT_EQ(floats["data"][1]["embedding"], Json({2.0, 0.5}));
  const auto base64 = body_of(send_post("/v1/embeddings", R"({"model":"e5","input":"a","encoding_format":"base64"})"));
  EXPECT_EQ(base64["data"][0]["embedding"], "AACAPwAAAD8=");
  EXPECT_EQ(body_of(send_post("/v1/embeddings", R"({"model":"e5","input":"a","dimensions":1})"))["error"]["param"], "dimensions");
  EXPECT_THAT(send_post("/v1/embeddings", R"({"model":"e5","input":[[1,2]]})"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(audit.all(), Contains("embeddings opened").Times(2));
}

TEST_F(ApiTest, RunsNothingThatCannotBeRecorded) {
  audit.fail_open = true;
  EXPECT_THAT(send_post("/v1/kb/fees/documents?path=a.txt", "x"), StartsWith("HTTP/1.1 503"));
  EXPECT_TRUE(knowledge.ingested.empty());
  EXPECT_THAT(send(http::get("/v1/kb/fees/documents/1/original", user)), StartsWith("HTTP/1.1 503"));
  audit.fail_open = false;
  audit.fail_close = true;
  const auto withheld = send_post("/v1/kb/fees/search", R"({"query":"年费"})");
  EXPECT_THAT(withheld, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(withheld, Not(HasSubstr("费率表")));
}

TEST_F(ApiTest, TakesDocumentsRawAndAsForms) {
  EXPECT_THAT(send_post("/v1/kb/fees/documents?path=%E8%B4%B9.txt&readers=a,%20b", "bytes"), StartsWith("HTTP/1.1 201"));
  EXPECT_EQ(knowledge.ingested[0].path, "费.txt");
  EXPECT_EQ(knowledge.last_readers, (std::vector<std::string>{"a", "b"}));
  const auto form = send_post("/v1/kb/fees/documents", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.pdf\"\r\n\r\nPDF\r\n--b--\r\n",
                              user + "Content-Type: multipart/form-data; boundary=b\r\n");
  EXPECT_EQ(body_of(form)["outcome"], "added");
  EXPECT_EQ(knowledge.ingested[1].bytes, "PDF");
  EXPECT_THAT(send_post("/v1/kb/fees/documents", "x"), StartsWith("HTTP/1.1 400"));
  const auto empty = send_post("/v1/kb/fees/documents?path=e.txt", "");
  EXPECT_THAT(empty, StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(body_of(empty)["outcome"], "failed");
  for (int i = 0; i < 1000 && knowledge.embedded == 0; ++i) std::this_thread::sleep_for(2ms);
  EXPECT_GE(knowledge.embedded, 1);
}

TEST_F(ApiTest, ServesDocumentsSoThatABrowserCannotRunThem) {
  const auto original = send(http::get("/v1/kb/fees/documents/1/original", user));
  EXPECT_THAT(original, HasSubstr("content-security-policy: sandbox"));
  EXPECT_THAT(original, HasSubstr("content-disposition: attachment; filename*=UTF-8''%E8%B4%B9%E7%8E%87.html"));
  EXPECT_THAT(send(http::get("/v1/kb/fees/documents/x", user)), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(send(http::get("/v1/kb/fees/documents/2", user)), StartsWith("HTTP/1.1 404"));
}

TEST_F(ApiTest, SearchesAndReplacesInvalidText) {
  const auto found = body_of(send_post("/v1/kb/fees/search", R"({"query":"年费","k":3,"mode":"words"})"));
  EXPECT_EQ(found["results"][0]["chunk"], 7);
  EXPECT_THAT(found["results"][0]["text"].get<std::string>(), HasSubstr("\xef\xbf\xbd"));
  EXPECT_THAT(send_post("/v1/kb/fees/search", R"({"query":"x","k":0})"), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(send_post("/v1/kb/fees/search", R"({"query":"  "})"), StartsWith("HTTP/1.1 400"));
}

TEST_F(ApiTest, ManagesBasesKeysRatingsAndRecords) {
  EXPECT_THAT(send_post("/v1/kb", R"({"name":"new","language":"zh"})"), StartsWith("HTTP/1.1 201"));
  EXPECT_THAT(send_post("/v1/kb", R"({"name":"fees"})"), StartsWith("HTTP/1.1 409"));
  EXPECT_THAT(send_post("/v1/kb", R"({"name":"../x"})"), StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(body_of(send_post("/v1/keys", R"({"user":"wang","roles":["analyst"]})", admin))["secret"], "heng_k2_secret");
  EXPECT_THAT(send("DELETE /v1/keys/k2 HTTP/1.1\r\nHost: a\r\n" + admin + "\r\n"), StartsWith("HTTP/1.1 204"));
  EXPECT_THAT(send("DELETE /v1/keys/k9 HTTP/1.1\r\nHost: a\r\n" + admin + "\r\n"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(send_post("/v1/feedback", R"({"audit_index":1,"stars":1})"), StartsWith("HTTP/1.1 204"));
  EXPECT_THAT(send_post("/v1/feedback", R"({"audit_index":1,"stars":0})"), StartsWith("HTTP/1.1 400"));
  EXPECT_EQ(body_of(send(http::get("/v1/audit?limit=2&before=9", admin)))["records"][0]["before"], 9);
  EXPECT_THAT(send(http::get("/v1/audit?limit=x", admin)), StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(send(http::get("/v1/audit/checkpoint", admin)), HasSubstr(R"({"size":1})"));
  EXPECT_THAT(send(http::get("/v1/audit/99999", admin)), StartsWith("HTTP/1.1 404"));
}

TEST_F(ApiTest, ListsModelsAndKnowledgeBases) {
  const auto list = body_of(send(http::get("/v1/models", user)));
  EXPECT_EQ(list["data"].size(), 3u);
  EXPECT_EQ(body_of(send(http::get("/v1/models/heng/kb:fees", user)))["id"], "heng/kb:fees");
  EXPECT_EQ(body_of(send(http::get("/v1/models/heng%2Fkb%3Afees", user)))["id"], "heng/kb:fees");
  EXPECT_THAT(send(http::get("/v1/models/nope", user)), StartsWith("HTTP/1.1 404"));
}

TEST_F(ApiTest, TellsHealthReadinessAndMetrics) {
  EXPECT_THAT(send(http::get("/healthz")), HasSubstr(R"({"status":"ok"})"));
  EXPECT_TRUE(body_of(send(http::get("/readyz")))["ready"]);
  models.loaded = false;
  std::this_thread::sleep_for(1100ms);
  const auto not_ready = send(http::get("/readyz"));
  EXPECT_THAT(not_ready, StartsWith("HTTP/1.1 503"));
  EXPECT_EQ(body_of(not_ready)["checks"]["models"], "not loaded yet: qwen");
  const auto metrics = send(http::get("/metrics"));
  EXPECT_THAT(metrics, HasSubstr(R"(heng_http_requests_total{method="GET",route="/healthz",status="200"} 1)"));
  EXPECT_THAT(metrics, HasSubstr(R"(heng_kv_cells{model="qwen",state="total"} 4096)"));
}

TEST_F(ApiTest, ServesTheConsole) {
  const auto page = send(http::get("/"));
  EXPECT_THAT(page, HasSubstr("<html>"));
  EXPECT_THAT(page, HasSubstr("script-src 'self'"));
  EXPECT_THAT(send(http::get("/ask", "")), HasSubstr("<html>"));
  EXPECT_THAT(send(http::get("/assets/app-1.js")), HasSubstr("immutable"));
  EXPECT_THAT(send(http::get("/", "If-None-Match: \"abc\"\r\n")), StartsWith("HTTP/1.1 304"));
  EXPECT_THAT(send(http::get("/assets/none.js")), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(send(http::get("/v1/none")), StartsWith("HTTP/1.1 404"));
}

TEST_F(ApiTest, DescribesEveryRoute) {
  const auto description = body_of(send(http::get("/openapi.json")));
  EXPECT_EQ(description["openapi"], "3.1.0");
  EXPECT_EQ(description["security"], Json::parse(R"([{"key":[]}])"));
  int operations = 0;
  for (const auto& [path, methods] : description["paths"].items())
    for (const auto& [method, operation] : methods.items()) {
      ++operations;
      auto target = path;
      for (const char* name : {"{kb}", "{id}", "{index}", "{model}", "{user}"})
        if (const auto at = target.find(name); at != std::string::npos) target.replace(at, std::strlen(name), "1");
      std::string verb = method;
      for (auto& c : verb) c = static_cast<char>(std::toupper(c));
      const auto answer = send(verb + " " + target + " HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
      const bool is_public = operation.contains("security");
      // nothing to log in with; no identity provider to sign in at
      const bool no_body = path == "/v1/login" || path == "/v1/oidc/finish", no_provider = path == "/v1/oidc/start" || path == "/v1/oidc/logout";
      EXPECT_THAT(answer, StartsWith(no_body ? "HTTP/1.1 400" : no_provider ? "HTTP/1.1 404" : is_public ? "HTTP/1.1 200" : "HTTP/1.1 401")) << verb << " " << path;
    }
  EXPECT_EQ(operations, 75);
}

}  // namespace
}  // namespace heng::api
