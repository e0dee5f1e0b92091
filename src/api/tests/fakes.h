#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "heng/api/server.h"

/// Small fakes of the ports, for tests over real sockets. Thread-safe; a test sets them up before it starts the server.
namespace heng::api {

class FakeModels : public Inference {
 public:
  Result<ChatResult> chat(const ChatRequest&, const ChatSink&, std::stop_token) override { return Error(ErrorCode::internal, "unused"); }
  Result<ScoreResult> score(const ScoreRequest&, std::stop_token) override { return Error(ErrorCode::internal, "unused"); }
  Result<EmbedResult> embed(const EmbedRequest& request, std::stop_token) override {
    EmbedResult out;
    for (const auto& text : request.texts) out.vectors.push_back({static_cast<float>(text.size()), 0.5f});
    out.tokens = 3 * static_cast<int>(request.texts.size());
    out.model = "e5";
    return out;
  }
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token) override { return Error(ErrorCode::internal, "unused"); }
  Result<std::vector<std::int32_t>> tokenize(const std::string&, const std::string&) override { return std::vector<std::int32_t>{}; }
  std::vector<ModelInfo> models() const override {
    ModelInfo chat, embedding;
    chat.name = "qwen";
    chat.loaded = loaded;
    chat.is_default = true;
    embedding.name = "e5";
    embedding.kind = ModelInfo::Kind::embedding;
    embedding.dimensions = 2;
    embedding.loaded = true;
    return {chat, embedding};
  }
  std::vector<InferenceStats> stats() const override {
    InferenceStats stats;
    stats.model = "qwen";
    stats.kv_cells = 4096;
    return {stats};
  }
  std::atomic<bool> loaded{true};
};

class FakeKnowledge : public Knowledge {
 public:
  Result<std::vector<Passage>> search(const SearchQuery& query, std::stop_token) override {
    if (query.kb.value != "fees") return Error(ErrorCode::not_found, "no such knowledge base", "kb");
    Passage passage;
    passage.chunk = ChunkId(7);
    passage.document_title = "费率表";
    passage.text = "年费 100元 \xff";
    passage.boxes.push_back({1, 1, 2, 3, 4, 595, 842});
    return std::vector{passage};
  }
  Result<Passage> passage(const Principal&, const KbName&, ChunkId) override { return Error(ErrorCode::not_found, "no"); }
  Result<std::vector<Passage>> neighbours(const Principal&, const KbName&, ChunkId, int, int) override { return std::vector<Passage>{}; }
  Result<KbInfo> create(const Principal&, const KbName& name, const std::string& language) override {
    if (name.value == "fees") return Error(ErrorCode::already_exists, "there is a knowledge base of that name", "name");
    KbInfo kb;
    kb.name = name;
    kb.language = language;
    return kb;
  }
  Result<std::vector<KbInfo>> list(const Principal&) override {
    KbInfo kb;
    kb.name = KbName("fees");
    kb.language = "mixed";
    return std::vector{kb};
  }
  Result<void> remove(const Principal&, const KbName&) override { return {}; }
  Result<IngestReport> ingest(const Principal&, const KbName&, const IngestItem& item, const std::vector<std::string>& readers,
                              std::stop_token) override {
    std::lock_guard lock(mutex);
    ingested.push_back(item);
    last_readers = readers;
    IngestReport report;
    report.path = item.path;
    report.outcome = item.bytes.empty() ? IngestOutcome::failed : IngestOutcome::added;
    if (item.bytes.empty()) report.error = Error(ErrorCode::malformed_input, "the document is empty");
    return report;
  }
  Result<void> embed_pending(const KbName&, const std::function<void(int, int)>&, std::stop_token) override {
    ++embedded;
    return {};
  }
  Result<std::vector<DocumentInfo>> documents(const Principal&, const KbName&) override { return std::vector<DocumentInfo>{}; }
  Result<DocumentInfo> document(const Principal&, const KbName&, DocumentId id) override {
    if (id.value != 1) return Error(ErrorCode::not_found, "no such document", "id");
    DocumentInfo info;
    info.id = id;
    info.path = "a/费率.html";
    info.media_type = "text/html";
    return info;
  }
  Result<std::string> original(const Principal&, const KbName&, DocumentId) override { return std::string("<script>alert(1)</script>"); }
  Result<std::vector<Passage>> document_passages(const Principal&, const KbName&, DocumentId) override { return std::vector<Passage>{}; }
  Result<void> remove_document(const Principal&, const KbName&, DocumentId) override { return {}; }

  std::mutex mutex;
  std::vector<IngestItem> ingested;
  std::vector<std::string> last_readers;
  std::atomic<int> embedded{0};
};

class FakeIdentity : public Identity {
 public:
  Result<Principal> authenticate(const std::string& bearer) override {
    Principal principal;
    principal.tenant = TenantId("bank");
    principal.user = UserId("li");
    principal.key = KeyId("k1");
    if (bearer == "heng_admin") {
      principal.roles = {"admin"};
    } else if (bearer != "heng_user") {
      return Error(ErrorCode::unauthenticated, "the key is not valid");
    } else {
      principal.roles = {"curator"};
    }
    return principal;
  }
  Result<void> admit(const Principal& principal) override {
    if (!principal.is_admin() && ++admitted > quota) {
      Error error(ErrorCode::rate_limited, "the key's requests of this minute are used up; come back in 17 s");
      error.retry_after_ms = 17'000;
      return error;
    }
    return {};
  }
  void spend_tokens(const Principal&, std::int64_t tokens) override { spent += tokens; }
  Result<std::pair<KeyInfo, std::string>> create_key(const NewKey& key) override {
    KeyInfo info;
    info.id = KeyId("k2");
    info.tenant = key.tenant;
    info.user = key.user;
    return std::pair(info, std::string("heng_k2_secret"));
  }
  Result<std::vector<KeyInfo>> keys(const TenantId&) override { return std::vector<KeyInfo>{}; }
  Result<void> revoke_key(const TenantId&, const KeyId& id) override {
    if (id.value != "k2") return Error(ErrorCode::not_found, "no such key", "id");
    return {};
  }
  std::atomic<int> admitted{0}, quota{1000};
  std::atomic<std::int64_t> spent{0};
};

class FakeAudit : public Audit, public AuditReader {
 public:
  Result<AuditTicket> open(const AuditOpen& open) override { return append(open.action + " opened", open.request, fail_open); }
  Result<AuditTicket> close(const AuditTicket& opened, const AuditClose& close) override {
    return append("closed " + close.outcome, opened.request, fail_close);
  }
  Result<AuditTicket> note(const AuditOpen& open, const AuditClose& close) override {
    return append(open.action + " " + close.outcome, open.request, fail_open);
  }
  std::int64_t size() const override {
    std::lock_guard lock(mutex);
    return static_cast<std::int64_t>(lines.size());
  }
  Result<std::vector<std::string>> tail(const Principal&, int limit, std::int64_t before) override {
    return std::vector<std::string>{"{\"limit\":" + std::to_string(limit) + ",\"before\":" + std::to_string(before) + "}", "{}"};
  }
  Result<std::string> get(const Principal&, std::int64_t index) override {
    if (index >= size()) return Error(ErrorCode::not_found, "no such record", "index");
    return std::string("{\"index\":1}");
  }
  Result<std::string> checkpoint() override { return std::string("{\"size\":1}"); }
  Result<std::string> proof(const Principal&, std::int64_t) override { return std::string("{\"hashes\":[]}"); }

  std::vector<std::string> all() const {
    std::lock_guard lock(mutex);
    return lines;
  }
  std::atomic<bool> fail_open{false}, fail_close{false};

 private:
  Result<AuditTicket> append(std::string line, const RequestId& request, bool fail) {
    if (fail) return Error(ErrorCode::storage_full, "the disk is full");
    std::lock_guard lock(mutex);
    lines.push_back(std::move(line));
    return AuditTicket{static_cast<std::int64_t>(lines.size()) - 1, request};
  }
  mutable std::mutex mutex;
  std::vector<std::string> lines;
};

class FakeFeedback : public Feedback {
 public:
  Result<void> rate(const Principal&, const Rating& rating) override {
    if (rating.audit_index > 1000) return Error(ErrorCode::not_found, "no such record", "audit_index");
    return {};
  }
  Result<std::vector<Rating>> ratings(const Principal&, std::int64_t) override { return std::vector<Rating>{}; }
};

/// Writes "one ", "two ", … until the limit, or until it is stopped.
class FakeChatter : public Chatter {
 public:
  Result<ChatReply> chat(const ChatTurn& turn, const ChatSink& sink, std::stop_token stop) override {
    {
      std::lock_guard lock(mutex);
      last = turn;
    }
    if (error) return *error;
    ChatReply reply;
    reply.audit_index = 41;
    auto& result = reply.result;
    result.model = "qwen";
    result.usage = {5, 2, 0};
    if (!turn.chat.tools.empty()) {
      ChatDelta begin, rest;
      begin.tool_calls.push_back({0, "call_1", "rate", "{\"a\""});
      rest.tool_calls.push_back({0, "", "", ":1}"});
      sink(begin);
      sink(rest);
      result.message.tool_calls.push_back({"call_1", "rate", "{\"a\":1}"});
      result.finish = FinishReason::tool_calls;
      return reply;
    }
    for (int i = 0; i < turn.chat.max_tokens; ++i) {
      ChatDelta delta;
      delta.content = "利率 ";
      TokenInfo token{1, "利率 ", -0.5, false, {{1, "利率 ", -0.5}, {2, "x", -2}}};
      if (turn.chat.top_logprobs >= 0) delta.tokens.push_back(token);
      result.tokens.push_back(token);
      result.message.content += delta.content;
      ++result.usage.completion_tokens;
      if (!sink(delta) || stop.stop_requested()) {
        ++cancelled;
        result.finish = FinishReason::cancelled;
        return reply;
      }
      if (pause_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(pause_ms));
    }
    result.finish = FinishReason::length;
    return reply;
  }
  std::mutex mutex;
  ChatTurn last;
  std::optional<Error> error;
  std::atomic<int> cancelled{0}, pause_ms{0};
};

class FakeAsker : public Asker {
 public:
  Result<AskAnswer> ask(const AskRequest& request, const AskSink& sink, std::stop_token) override {
    {
      std::lock_guard lock(mutex);
      last = request;
    }
    if (request.kb.value != "fees") return Error(ErrorCode::not_found, "no such knowledge base", "kb");
    AskAnswer answer;
    answer.audit_index = 17;
    answer.request = RequestId("r1");
    answer.model = "qwen";
    answer.usage = {10, 0, 4};
    answer.verdict = AnswerVerdict::released;
    for (const char* text : {"年费为100元[1]。", "次年免费[1]。"}) {
      VerifiedSentence sentence;
      sentence.text = text;
      sentence.status = SentenceStatus::supported;
      sentence.citations = {1};
      answer.answer += text;
      AskEvent event;
      event.kind = AskEvent::Kind::sentence;
      event.sentence = sentence;
      sink(event);
      answer.sentences.push_back(sentence);
    }
    Citation citation;
    citation.n = 1;
    answer.citations.push_back(citation);
    return answer;
  }
  std::mutex mutex;
  AskRequest last;
};

class FakeAssets : public AssetSource {
 public:
  std::optional<Asset> find(std::string_view path) const override {
    if (path == "/index.html") return Asset{"<html>", "text/html; charset=utf-8", "\"abc\"", false};
    if (path == "/assets/app-1.js") return Asset{"x()", "text/javascript", "\"def\"", true};
    return std::nullopt;
  }
};

}  // namespace heng::api
