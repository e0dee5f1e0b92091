#pragma once

#include <atomic>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/contracts/answer.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/guard.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/knowledge.h"
#include "heng/contracts/tools.h"

namespace heng::pipeline::fakes {

/// Every call of every fake, in order: what the order tests look at.
using Journal = std::vector<std::string>;

/// Answers from a script, in pieces of a few bytes, keeping what it was asked.
class ScriptedInference final : public Inference {
 public:
  explicit ScriptedInference(Journal& journal) : journal_(journal) {}
  std::deque<Result<std::string>> script;
  std::vector<ChatRequest> asked;
  std::size_t piece_bytes = 7;
  FinishReason finish = FinishReason::stop;
  int context_tokens = 4096;
  int pieces_sent = 0;

  Result<ChatResult> chat(const ChatRequest& request, const ChatSink& sink, std::stop_token stop) override {
    journal_.push_back("inference.chat");
    asked.push_back(request);
    if (script.empty()) return {ErrorCode::unavailable, "the script is at its end"};
    auto next = script.front();
    script.pop_front();
    if (!next.ok()) return next.error();
    ChatResult out;
    out.model = "scripted";
    out.model_sha256 = std::string(64, 'a');
    out.finish = finish;
    out.usage = {100, 40, 0};
    std::size_t at = 0;
    while (at < next->size()) {
      std::size_t size = std::min(piece_bytes, next->size() - at);
      while (at + size < next->size() && (static_cast<unsigned char>((*next)[at + size]) & 0xC0) == 0x80) ++size;
      ChatDelta delta;
      delta.content = next->substr(at, size);
      at += size;
      out.message.content += delta.content;
      out.tokens.push_back({static_cast<std::int32_t>(at), delta.content, -0.1, false, {}});
      ++pieces_sent;
      if (stop.stop_requested() || (sink && !sink(delta))) {
        out.finish = FinishReason::cancelled;
        break;
      }
    }
    out.usage.completion_tokens = static_cast<int>(out.tokens.size());
    out.message.role = "assistant";
    out.prompt_tokens = {1, 2, 3};
    return out;
  }
  Result<ScoreResult> score(const ScoreRequest&, std::stop_token) override { return {ErrorCode::unsupported, "not scripted"}; }
  Result<EmbedResult> embed(const EmbedRequest&, std::stop_token) override { return {ErrorCode::unsupported, "not scripted"}; }
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token) override { return {ErrorCode::unsupported, "not scripted"}; }
  Result<std::vector<std::int32_t>> tokenize(const std::string&, const std::string& s) override {
    return std::vector<std::int32_t>(text::code_points(s) / 3 + 1);
  }
  std::vector<ModelInfo> models() const override {
    ModelInfo m;
    m.name = "scripted";
    m.context_tokens = context_tokens;
    m.is_default = m.loaded = true;
    return {m};
  }
  std::vector<InferenceStats> stats() const override { return {}; }

 private:
  Journal& journal_;
};

class ShelfKnowledge final : public Knowledge {
 public:
  explicit ShelfKnowledge(Journal& journal) : journal_(journal) {}
  std::vector<Passage> shelf;
  std::vector<SearchQuery> asked;
  std::deque<Error> failures;  ///< Given first, one per search.
  std::map<std::int64_t, Passage> next;

  Result<std::vector<Passage>> search(const SearchQuery& query, std::stop_token) override {
    journal_.push_back("knowledge.search");
    asked.push_back(query);
    if (!failures.empty()) {
      Error e = failures.front();
      failures.pop_front();
      return e;
    }
    return shelf;
  }
  Result<Passage> passage(const Principal&, const KbName&, ChunkId) override { return {ErrorCode::not_found, "none"}; }
  Result<std::vector<Passage>> neighbours(const Principal&, const KbName&, ChunkId id, int, int) override {
    std::vector<Passage> out;
    for (const auto& p : shelf)
      if (p.chunk == id) out.push_back(p);
    if (next.contains(id.value)) out.push_back(next[id.value]);
    return out;
  }
  Result<KbInfo> create(const Principal&, const KbName&, const std::string&) override { return unused(); }
  Result<std::vector<KbInfo>> list(const Principal&) override { return unused(); }
  Result<void> remove(const Principal&, const KbName&) override { return unused(); }
  Result<IngestReport> ingest(const Principal&, const KbName&, const IngestItem&, const std::vector<std::string>&, std::stop_token) override { return unused(); }
  Result<void> embed_pending(const KbName&, const std::function<void(int, int)>&, std::stop_token) override { return unused(); }
  Result<std::vector<DocumentInfo>> documents(const Principal&, const KbName&) override { return unused(); }
  Result<DocumentInfo> document(const Principal&, const KbName&, DocumentId) override { return unused(); }
  Result<std::string> original(const Principal&, const KbName&, DocumentId) override { return unused(); }
  Result<std::vector<Passage>> document_passages(const Principal&, const KbName&, DocumentId) override { return unused(); }
  Result<void> remove_document(const Principal&, const KbName&, DocumentId) override { return unused(); }

 private:
  static Error unused() { return {ErrorCode::unsupported, "not part of asking"}; }
  Journal& journal_;
};

class MemoryAudit final : public Audit {
 public:
  explicit MemoryAudit(Journal& journal) : journal_(journal) {}
  bool open_fails = false, close_fails = false;
  std::vector<AuditOpen> opens;
  std::vector<AuditClose> closes;

  Result<AuditTicket> open(const AuditOpen& record) override {
    journal_.push_back("audit.open");
    if (open_fails) return {ErrorCode::corrupt, "the ledger does not verify"};
    opens.push_back(record);
    return AuditTicket{static_cast<std::int64_t>(opens.size()) - 1, record.request};
  }
  Result<AuditTicket> close(const AuditTicket& ticket, const AuditClose& record) override {
    journal_.push_back("audit.close");
    if (close_fails) return {ErrorCode::storage_full, "no space left"};
    closes.push_back(record);
    return ticket;
  }
  Result<AuditTicket> note(const AuditOpen& o, const AuditClose& c) override {
    opens.push_back(o);
    closes.push_back(c);
    return AuditTicket{static_cast<std::int64_t>(opens.size()) - 1, o.request};
  }
  std::int64_t size() const override { return static_cast<std::int64_t>(opens.size()); }

 private:
  Journal& journal_;
};

class WordGuard final : public Guard {
 public:
  explicit WordGuard(Journal& journal) : journal_(journal) {}
  std::string denied_in = "\x01", denied_out = "\x01", masked_out = "\x01";
  bool broken = false;

  Result<GuardVerdict> check_input(const Principal&, const std::string& s) const override {
    journal_.push_back("guard.in");
    if (broken) return {ErrorCode::internal, "guard broke"};
    GuardVerdict v;
    if (s.find(denied_in) != std::string::npos) v = {GuardAction::withhold, {}, "forbidden word"};
    return v;
  }
  Result<GuardVerdict> check_output(const Principal&, const std::string& s) const override {
    journal_.push_back("guard.out");
    if (broken_out) return {ErrorCode::internal, "guard broke"};
    GuardVerdict v;
    if (s.find(denied_out) != std::string::npos) return GuardVerdict{GuardAction::withhold, {}, "secret"};
    if (const auto at = s.find(masked_out); at != std::string::npos) {
      v.action = GuardAction::mask;
      const std::size_t begin = text::code_points(std::string_view(s).substr(0, at));
      v.findings.push_back({"pii", "phone", "r", "1", begin, begin + text::code_points(masked_out)});
    }
    return v;
  }
  bool broken_out = false;

 private:
  Journal& journal_;
};

/// Supports a sentence whose figures all stand in some passage, or were computed; cites the first passage that holds one of
/// its words. Evidence: set by the test.
class FigureVerifier final : public AnswerVerifier {
 public:
  explicit FigureVerifier(Journal& journal) : journal_(journal) {}
  Evidence strength{0.9, {}};
  std::vector<VerifiedSentence> quotes;

  VerifiedSentence verify(const VerifyInput& input) const override {
    journal_.push_back("verifier.verify");
    VerifiedSentence out;
    out.text = input.sentence;
    for (std::size_t i = 0; i < input.passages.size(); ++i)
      if (input.sentence.find("[" + std::to_string(i + 1) + "]") != std::string::npos) out.citations.push_back(static_cast<int>(i) + 1);
    if (out.citations.empty()) out.citations = {1};
    std::string known;
    for (const auto& p : input.passages) known += p.text;
    for (const auto& f : input.computed) known += f.text;
    std::string digits;
    bool in_mark = false;
    auto end = [&] {
      if (!digits.empty() && known.find(digits) == std::string::npos) out.reason = "figure " + digits + " is in no passage";
      digits.clear();
    };
    for (char c : input.sentence) {
      in_mark = c == '[' || (in_mark && c != ']');
      if (!in_mark && c >= '0' && c <= '9') digits += c;
      else end();
    }
    end();
    out.status = out.reason.empty() ? SentenceStatus::supported : SentenceStatus::withheld;
    out.support = out.reason.empty() ? 0.9 : 0.1;
    return out;
  }
  std::vector<VerifiedSentence> extract(const std::string&, const std::vector<Passage>&, int) const override {
    journal_.push_back("verifier.extract");
    return quotes;
  }
  Evidence evidence(const std::string&, const std::vector<Passage>& passages) const override {
    journal_.push_back("verifier.evidence");
    return passages.empty() ? Evidence{} : strength;
  }

 private:
  Journal& journal_;
};

/// Knows the few expressions of the tests.
class TableCalculator final : public Calculator {
 public:
  std::map<std::string, std::string> known;
  Result<CalculatorResult> evaluate(const std::string& expression) const override {
    const auto at = known.find(expression);
    if (at == known.end()) return {ErrorCode::malformed_input, "unknown expression: " + expression};
    return CalculatorResult{at->second, expression, ""};
  }
};

/// Allows every call, or what the test says; keeps what it was asked.
class OpenGate final : public ToolGate {
 public:
  ToolDecision decision = ToolDecision::allow;
  bool broken = false;
  std::vector<ToolUse> asked;
  Result<ToolVerdict> decide(const Principal&, ToolUse use) override {
    asked.push_back(use);
    if (broken) return {ErrorCode::internal, "the gate broke"};
    ToolVerdict verdict;
    verdict.decision = decision;
    verdict.reason = "as the test says";
    return verdict;
  }
};

class FixedRandom final : public Random {
 public:
  void fill(void* data, std::size_t size) override { std::memset(data, 0x5a, size); }
};

inline Passage passage(std::int64_t id, std::string title, std::string body, std::string context = "") {
  Passage p;
  p.chunk = ChunkId(id);
  p.document = DocumentId(id / 100 + 1);
  p.document_title = title;
  p.document_path = title + ".pdf";
  p.page = static_cast<int>(id % 100);
  p.text = std::move(body);
  p.context = std::move(context);
  p.sha256 = sha256_hex(p.text);
  return p;
}

}  // namespace heng::pipeline::fakes
