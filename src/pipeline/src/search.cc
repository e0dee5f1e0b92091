#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "flow.h"
#include "tool_calls.h"
#include "words.h"

namespace heng::pipeline {
namespace {

/// Hybrid search; where the embedding model is down, words alone, which is put on record.
Result<std::vector<Passage>> find(Flow& flow, const std::string& text, int k) {
  // what the model or the program made of the question is not the user's own word
  const bool own = text == text::trim(flow.request.question);
  HENG_TRY(permit_tool(flow, "search", "query", {text, {.source = own ? "user" : "model", .integrity = own ? Integrity::user : Integrity::untrusted}}));
  SearchQuery query{flow.request.principal, flow.request.kb, text, k, SearchMode::hybrid};
  auto found = flow.ports.knowledge.search(query, flow.stop);
  if (!found.ok() && (found.error().code == ErrorCode::unavailable || found.error().code == ErrorCode::overloaded)) {
    const std::string why = found.error().message;
    query.mode = SearchMode::words;
    found = flow.ports.knowledge.search(query, flow.stop);
    if (found.ok()) flow.note("degrade", "words_only", why);
  }
  if (!found.ok()) {
    const ErrorCode code = found.error().code;
    const bool caller_should_know = code == ErrorCode::not_found || code == ErrorCode::cancelled || code == ErrorCode::deadline_exceeded ||
                                    code == ErrorCode::permission_denied || code == ErrorCode::invalid_argument;
    if (caller_should_know) return found.error();
    return {ErrorCode::unavailable, "search is not available now: " + found.error().message};
  }
  flow.record.tools.push_back({"search", text, fmt::format("{} passages", found->size())});
  return found;
}

/// Reciprocal rank fusion of two lists.
std::vector<Passage> fused(const std::vector<Passage>& a, const std::vector<Passage>& b, std::size_t most) {
  std::map<std::int64_t, double> score;
  std::vector<Passage> all;
  for (const auto* list : {&a, &b})
    for (std::size_t i = 0; i < list->size(); ++i) {
      auto [at, is_new] = score.try_emplace((*list)[i].chunk.value, 0);
      at->second += 1.0 / (20.0 + static_cast<double>(i));
      if (is_new) all.push_back((*list)[i]);
    }
  std::stable_sort(all.begin(), all.end(),
                   [&](const Passage& x, const Passage& y) { return score[x.chunk.value] > score[y.chunk.value]; });
  if (all.size() > most) all.resize(most);
  return all;
}

bool is_row(std::string_view line) { return text::trim(line).starts_with("|"); }

bool ends_open(const Passage& p) {
  const auto trimmed = text::trim(p.text);
  if (trimmed.empty()) return false;
  const auto last_line = trimmed.substr(trimmed.rfind('\n') == std::string_view::npos ? 0 : trimmed.rfind('\n') + 1);
  if (is_row(last_line)) return true;
  for (std::string_view stop : {".", "。", "！", "!", "？", "?"})
    if (trimmed.ends_with(stop)) return false;
  return true;  // also behind "：", ";" or "；": a list goes on
}

bool continues(const Passage& p, const Passage& next) {
  const auto begin = text::trim(next.text);
  const bool table = is_row(text::trim(p.text).substr(text::trim(p.text).rfind('\n') + 1)) && is_row(begin.substr(0, begin.find('\n')));
  return p.document == next.document && (p.heading == next.heading) && (table || ends_open(p));
}

/// Puts the passage that goes on where a good one breaks off right behind it; each keeps its own number and citation.
void add_continuations(Flow& flow, std::vector<Passage>& passages) {
  constexpr std::size_t looked_at = 2;
  std::vector<Passage> out;
  for (std::size_t i = 0; i < passages.size(); ++i) {
    const bool already = std::any_of(out.begin(), out.end(), [&](const Passage& p) { return p.chunk == passages[i].chunk; });
    if (!already) out.push_back(passages[i]);
    if (already || i >= looked_at || !ends_open(passages[i])) continue;
    auto near = flow.ports.knowledge.neighbours(flow.request.principal, flow.request.kb, passages[i].chunk, 0, 1);
    if (!near.ok() || near->size() < 2 || !continues(passages[i], near->back())) continue;
    const auto& next = near->back();
    if (std::none_of(out.begin(), out.end(), [&](const Passage& p) { return p.chunk == next.chunk; })) out.push_back(next);
  }
  passages = std::move(out);
}

/// Names the question asks about that no passage mentions, in the title, heading, context or text.
std::vector<std::string> missing_names(const Flow& flow) {
  std::vector<std::string> out;
  std::string all;
  for (const auto& p : flow.passages) all += p.document_title + " " + p.document_path + " " + p.heading + " " + p.context + " " + p.text + "\n";
  all = text::lower(all);
  const std::string compact = replace_all(all, " ", "");
  for (const auto& name : required_names(flow.question)) {
    const std::string lower = text::lower(name);
    const std::string translated = text::lower(glossary_translation(name));
    if (contains(all, lower) || contains(compact, replace_all(lower, " ", ""))) continue;
    if (!translated.empty() && coverage(key_term_set(translated), key_term_set(all)) >= 0.5) continue;
    out.push_back(name);
  }
  for (const auto& period : periods(flow.question)) {
    const bool quarter = period.size() == 4 && period[1] == 'Q';
    const std::string year = quarter ? "20" + period.substr(2) : period;
    if (!contains(all, text::lower(period)) && !contains(all, year)) out.push_back(period);
  }
  return out;
}

}  // namespace

Result<void> search(Flow& flow) {
  const int k = flow.request.passages;
  auto first = HENG_TRY(find(flow, flow.question, k));
  flow.evidence = flow.ports.verifier.evidence(flow.question, first);
  const std::string other_language = glossary_translation(flow.question);
  if (flow.evidence.strength < flow.settings.weak_evidence && !flow.stopped()) {
    std::string words = keywords(flow.question);
    if (!other_language.empty()) words += " " + other_language;
    if (!text::trim(words).empty() && words != flow.question) {
      auto second = HENG_TRY(find(flow, words, k));
      first = fused(first, second, static_cast<std::size_t>(k));
      flow.evidence = flow.ports.verifier.evidence(flow.question, first);
    }
  }
  add_continuations(flow, first);
  flow.passages = std::move(first);
  flow.answer.passages = flow.passages;
  return {};
}

Result<void> weigh_evidence(Flow& flow) {
  auto& missing = flow.evidence.missing;
  const auto names = missing_names(flow);
  for (const auto& name : names)
    if (std::find(missing.begin(), missing.end(), name) == missing.end()) missing.push_back(name);
  const bool weak = flow.evidence.strength < flow.settings.least_evidence;
  flow.nothing_found = flow.passages.empty() || weak || !names.empty();
  std::string detail = fmt::format("strength {:.2f}, {} passages", flow.evidence.strength, flow.passages.size());
  if (!names.empty()) detail += ", not mentioned: " + text::join(names, ", ");
  flow.note("evidence", flow.nothing_found ? "abstain" : "release", detail);
  return {};
}

}  // namespace heng::pipeline
