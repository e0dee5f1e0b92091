#include "heng/api/json.h"

#include <algorithm>
#include <cmath>

#include "context.h"
#include "heng/base/clock.h"
#include "heng/http/message.h"
#include "heng/guard_label/label.h"
#include "json_parts.h"

namespace heng::api {
namespace {

double rounded(double value, double places) { return std::isfinite(value) ? std::round(value * places) / places : 0.0; }

std::string_view name_of(FigureStatus status) {
  switch (status) {
    case FigureStatus::cited: return "cited";
    case FigureStatus::computed: return "computed";
    case FigureStatus::question: return "question";
    case FigureStatus::withheld: return "withheld";
  }
  return "withheld";
}

std::string_view name_of(SentenceStatus status) {
  switch (status) {
    case SentenceStatus::supported: return "supported";
    case SentenceStatus::extracted: return "extracted";
    case SentenceStatus::computed: return "computed";
    case SentenceStatus::withheld: return "withheld";
  }
  return "withheld";
}

std::string_view name_of(AnswerVerdict verdict) {
  switch (verdict) {
    case AnswerVerdict::released: return "released";
    case AnswerVerdict::partial: return "partial";
    case AnswerVerdict::extractive: return "extractive";
    case AnswerVerdict::abstained: return "abstained";
    case AnswerVerdict::review: return "review";
  }
  return "abstained";
}

std::string_view name_of(IngestOutcome outcome) {
  switch (outcome) {
    case IngestOutcome::added: return "added";
    case IngestOutcome::replaced: return "replaced";
    case IngestOutcome::unchanged: return "unchanged";
    case IngestOutcome::duplicate: return "duplicate";
    case IngestOutcome::failed: return "failed";
  }
  return "failed";
}

Json boxes_value(const std::vector<PageBox>& boxes) {
  Json out = Json::array();
  for (const auto& box : boxes)
    out.push_back({{"page", box.page}, {"x0", rounded(box.x0, 100)}, {"y0", rounded(box.y0, 100)}, {"x1", rounded(box.x1, 100)},
                   {"y1", rounded(box.y1, 100)}, {"page_width", rounded(box.page_width, 100)},
                   {"page_height", rounded(box.page_height, 100)}});
  return out;
}

template <class Item, class Make>
Json list(const std::vector<Item>& items, Make make) {
  Json out = Json::array();
  for (const auto& item : items) out.push_back(make(item));
  return out;
}

Json answer_passage(const Passage& passage) {
  return {{"chunk", passage.chunk.value}, {"document_id", passage.document.value}, {"title", passage.document_title},
          {"page", passage.page},         {"heading", passage.heading},            {"text", passage.text},
          {"score", rounded(passage.score, 1e6)}};
}

Json search_result(const Passage& passage) {
  return {{"doc", passage.document_path}, {"document_id", passage.document.value}, {"title", passage.document_title},
          {"page", passage.page},         {"chunk", passage.chunk.value},          {"heading", passage.heading},
          {"score", rounded(passage.score, 1e6)}, {"text", passage.text},          {"boxes", boxes_value(passage.boxes)}};
}

Json source_passage(const Passage& passage) {
  return {{"chunk", passage.chunk.value}, {"page", passage.page}, {"page_last", passage.page_last}, {"heading", passage.heading},
          {"text", passage.text},         {"context", passage.context}, {"boxes", boxes_value(passage.boxes)}};
}

}  // namespace

Json time_value(std::int64_t unix_ms) { return unix_ms > 0 ? Json(iso8601(unix_ms)) : Json(nullptr); }

Json figure_value(const Figure& figure) {
  return {{"text", figure.text},         {"value", figure.value},     {"unit", figure.unit},   {"status", name_of(figure.status)},
          {"citation", figure.citation}, {"formula", figure.formula}, {"begin", figure.begin}, {"end", figure.end}};
}

Json sentence_value(const VerifiedSentence& sentence) {
  return {{"text", sentence.text}, {"status", name_of(sentence.status)}, {"citations", sentence.citations},
          {"support", rounded(sentence.support, 1e4)}, {"reason", sentence.reason}, {"figures", list(sentence.figures, figure_value)}};
}

Json citation_value(const Citation& citation) {
  return {{"n", citation.n}, {"doc", citation.document_path}, {"document_id", citation.document.value},
          {"title", citation.document_title}, {"page", citation.page}, {"chunk", citation.chunk.value},
          {"heading", citation.heading}, {"quote", citation.quote}, {"sha256", citation.sha256},
          {"boxes", boxes_value(citation.boxes)}};
}

Json usage_value(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens}, {"cached_tokens", usage.cached_tokens},
          {"completion_tokens", usage.completion_tokens}};
}

Json label_value(const ContentLabel& label) {
  return {{"text", label.text}, {"AIGC", Json::parse(guard_label::metadata_value({label.provider, label.content_id}))}};
}

Json answer_value(const AskAnswer& answer) {
  return {{"answer", answer.answer},
          {"language", answer.language},
          {"standalone_question", answer.standalone_question},
          {"abstained", answer.abstained},
          {"verdict", name_of(answer.verdict)},
          {"sentences", list(answer.sentences, sentence_value)},
          {"citations", list(answer.citations, citation_value)},
          {"figures", list(answer.figures, figure_value)},
          {"passages", list(answer.passages, answer_passage)},
          {"model", answer.model},
          {"model_sha256", answer.model_sha256},
          {"usage", usage_value(answer.usage)},
          {"audit_index", answer.audit_index},
          {"request_id", answer.request.value},
          {"review", answer.review.empty() ? Json(nullptr) : Json(answer.review)},
          {"ai_label", label_value(answer.label)},
          {"injection_score", rounded(answer.injection_score, 1e4)},
          {"timings", list(answer.timings, [](const StageTiming& t) { return Json{{"stage", t.stage}, {"ms", rounded(t.ms, 100)}}; })}};
}

Json kb_value(const KbInfo& kb) {
  return {{"name", kb.name.value}, {"language", kb.language}, {"embedding_model", kb.embedding_model}, {"documents", kb.documents},
          {"chunks", kb.chunks}, {"chunks_without_vector", kb.chunks_without_vector}, {"created", time_value(kb.created_ms)}};
}

Json document_value(const DocumentInfo& document) {
  return {{"id", document.id.value}, {"title", document.title}, {"path", document.path}, {"media_type", document.media_type},
          {"status", document.status}, {"error", document.error}, {"pages", document.pages}, {"chunks", document.chunks},
          {"chunks_without_vector", document.chunks_without_vector}, {"size_bytes", document.size_bytes},
          {"sha256", document.sha256}, {"ingested", time_value(document.ingested_ms)}, {"readers", document.readers}};
}

Json error_value(const Error& error, const RequestId& id) { return Json::parse(http::error_body(error, id)); }

Json report_value(const IngestReport& report) {
  Json out{{"path", report.path}, {"outcome", name_of(report.outcome)}, {"document", report.document.value}, {"pages", report.pages},
           {"chunks", report.chunks}, {"warnings", report.warnings}, {"error", nullptr}};
  if (report.error) out["error"] = error_value(*report.error, {})["error"];
  return out;
}

Json key_value(const KeyInfo& key) {
  return {{"id", key.id.value}, {"tenant", key.tenant.value}, {"user", key.user.value}, {"name", key.name}, {"roles", key.roles},
          {"quota", {{"requests_per_minute", key.quota.requests_per_minute}, {"tokens_per_day", key.quota.tokens_per_day}}},
          {"created", time_value(key.created_ms)}, {"expires", time_value(key.expires_ms)},
          {"last_used", time_value(key.last_used_ms)}, {"revoked", key.revoked}, {"desk", key.desk}, {"purpose", key.purpose},
          {"clearance", class_name(key.clearance)}};
}

Json model_value(const ModelInfo& model) {
  return {{"id", model.name}, {"object", "model"}, {"created", 0}, {"owned_by", "heng"},
          {"heng", {{"kind", model.kind == ModelInfo::Kind::chat ? "chat" : "embedding"}, {"sha256", model.sha256},
                    {"size_bytes", model.size_bytes}, {"context_tokens", model.context_tokens}, {"dimensions", model.dimensions},
                    {"loaded", model.loaded}, {"default", model.is_default}, {"backend", model.backend},
                    {"adapters", model.adapters}}}};
}

Json message_value(const Message& message) {
  Json out{{"role", "assistant"}, {"content", message.content}, {"refusal", nullptr}};
  if (message.content.empty() && !message.tool_calls.empty()) out["content"] = nullptr;
  if (!message.reasoning.empty()) out["reasoning_content"] = message.reasoning;
  for (const auto& call : message.tool_calls)
    out["tool_calls"].push_back(
        {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments_json}}}});
  return out;
}

Json tokens_value(const std::vector<TokenInfo>& tokens, int top) {
  const auto one = [](const std::string& text, double logprob) {
    Json bytes = Json::array();
    for (const char c : text) bytes.push_back(static_cast<int>(static_cast<unsigned char>(c)));
    // -inf (a token that a grammar rules out) is no JSON number
    return Json{{"token", text}, {"logprob", std::max(logprob, -9999.0)}, {"bytes", std::move(bytes)}};
  };
  Json content = Json::array();
  for (const auto& token : tokens) {
    Json entry = one(token.text, token.logprob);
    entry["top_logprobs"] = Json::array();
    for (const auto& other : token.top)
      if (static_cast<int>(entry["top_logprobs"].size()) < top) entry["top_logprobs"].push_back(one(other.text, other.logprob));
    content.push_back(std::move(entry));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

std::string to_json(const AskAnswer& answer) { return dump(answer_value(answer)); }
std::string to_json(const KbInfo& kb) { return dump(kb_value(kb)); }
std::string to_json(const DocumentInfo& document) { return dump(document_value(document)); }
std::string to_json(const IngestReport& report) { return dump(report_value(report)); }
std::string to_json(const KeyInfo& key) { return dump(key_value(key)); }
std::string to_json(const ModelInfo& model) { return dump(model_value(model)); }
std::string to_json(const ChatResult& result) {
  return dump({{"model", result.model}, {"message", message_value(result.message)}, {"usage", usage_value(result.usage)}});
}
std::string error_to_json(const Error& error) { return http::error_body(error, {}); }

std::string search_results_to_json(const std::vector<Passage>& passages) {
  return dump({{"results", list(passages, search_result)}});
}
std::string passages_to_json(const std::vector<Passage>& passages) {
  return dump({{"passages", list(passages, source_passage)}});
}

std::string event_name(const AskEvent& event) {
  switch (event.kind) {
    case AskEvent::Kind::stage: return "stage";
    case AskEvent::Kind::passages: return "passages";
    case AskEvent::Kind::sentence: return "sentence";
  }
  return "stage";
}

std::string to_json(const AskEvent& event) {
  switch (event.kind) {
    case AskEvent::Kind::stage: return dump({{"stage", event.stage}});
    case AskEvent::Kind::passages: return dump({{"passages", list(event.passages, answer_passage)}});
    case AskEvent::Kind::sentence: break;
  }
  Json sentence = event.sentence ? sentence_value(*event.sentence) : Json(nullptr);
  return dump({{"sentence", std::move(sentence)}, {"citations", list(event.citations, citation_value)}});
}

}  // namespace heng::api
