#include "release.h"

#include <algorithm>

#include <fmt/format.h>

#include "words.h"

namespace heng::pipeline {
namespace {

Citation cite(int n, const Passage& p, const std::string& sentence) {
  Citation c;
  c.n = n;
  c.chunk = p.chunk;
  c.document = p.document;
  c.document_title = p.document_title;
  c.document_path = p.document_path;
  c.page = p.page;
  c.heading = p.heading;
  c.quote = best_quote(sentence, p);
  c.sha256 = p.sha256;
  c.boxes = p.boxes;
  return c;
}

}  // namespace

std::string masked(const std::string& s, const GuardVerdict& verdict) {
  if (verdict.action != GuardAction::mask) return s;
  if (!verdict.masked.empty()) return verdict.masked;
  std::u32string wide = text::to_utf32(s);
  for (const auto& finding : verdict.findings)
    for (std::size_t i = finding.begin; i < finding.end && i < wide.size(); ++i) wide[i] = U'*';
  return text::from_utf32(wide);
}

namespace {

/// True where the text may leave, masked where it must be, or go to a reviewer (then the flow holds).
bool guard_out(Flow& flow, std::string& s, std::string& reason) {
  auto verdict = flow.ports.guard.check_written(flow.request.principal, s, flow.canaries);
  if (!verdict.ok()) {
    reason = "the outgoing guard failed: " + verdict.error().message;
    return false;
  }
  // a reviewer sees no more of a person than the user would
  if (verdict->action == GuardAction::mask || (verdict->action == GuardAction::review && !verdict->masked.empty() && verdict->masked != s)) {
    s = verdict->action == GuardAction::mask ? masked(s, *verdict) : verdict->masked;
    flow.vaulted = flow.vaulted || !verdict->vault.empty();
    if (auto kept = keep_values(flow.ports.vault, flow.request.principal, verdict->vault); !kept.ok()) {
      reason = kept.error().message;
      return false;
    }
    if (!verdict->vault.empty()) flow.note("vault", "keep", tokens_of(verdict->vault));
  }
  if (verdict->action == GuardAction::release || verdict->action == GuardAction::mask) return true;
  if (verdict->action == GuardAction::review && flow.ports.reviews) {
    flow.hold_back(verdict->findings.empty() ? "guard_out" : verdict->findings.front().rule, verdict->reason);
    return true;
  }
  reason = "the outgoing guard withheld it: " + verdict->reason;
  return false;
}

/// Positions of the figures in `s`, which begins at code point `base` of the answer.
void place_figures(std::vector<Figure>& figures, const std::string& s, std::size_t base) {
  std::size_t from = 0;
  for (auto& figure : figures) {
    std::size_t at = s.find(figure.text, from);
    if (at == std::string::npos) at = s.find(figure.text);
    if (at == std::string::npos || figure.text.empty()) continue;
    figure.begin = base + text::code_points(std::string_view(s).substr(0, at));
    figure.end = figure.begin + text::code_points(figure.text);
    from = at + figure.text.size();
  }
}

/// "…of 27%." + " [1]" keeps the stop last-but-marks: "…of 27%. [1]" in English, "……27%。[1]" in Chinese.
std::string with_marks(const std::string& s, const std::vector<int>& citations, bool chinese) {
  std::string out = s;
  if (!citations.empty() && !chinese) out += " ";
  for (int n : citations) out += fmt::format("[{}]", n);
  return out;
}

}  // namespace

std::string best_quote(const std::string& sentence, const Passage& passage) {
  const auto wanted = key_term_set(strip_marks(sentence));
  std::vector<std::string> figures = digit_runs(sentence);
  std::string_view best;
  double best_score = -1;
  auto consider = [&](std::string_view piece) {
    piece = text::trim(piece);
    if (piece.empty() || piece.find_first_not_of("|-: ") == std::string_view::npos) return;
    const auto held = key_term_set(piece);
    double score = coverage(wanted, held) + 0.2 * coverage(held, wanted);
    for (const auto& figure : figures) score += held.contains(figure) ? 0.5 : 0;
    if (score > best_score) {
      best_score = score;
      best = piece;
    }
  };
  for (auto line : text::split(passage.text, '\n')) {
    if (text::trim(line).starts_with("|")) {
      consider(line);
      continue;
    }
    for (const auto& range : text::sentences(line)) consider(line.substr(range.begin, range.end - range.begin));
  }
  return best.empty() ? passage.text : std::string(best);
}

void show_withheld(Flow& flow, VerifiedSentence sentence) {
  auto verdict = flow.ports.guard.check_output(flow.request.principal, sentence.text);
  if (verdict.ok()) flow.vaulted = flow.vaulted || !verdict->vault.empty();
  const bool shown = verdict.ok() && (verdict->action == GuardAction::release || verdict->action == GuardAction::mask) && keep_values(flow.ports.vault, flow.request.principal, verdict->vault).ok();
  if (!shown) {
    sentence.text.clear();
    sentence.figures.clear();
  } else if (verdict->action == GuardAction::mask) {
    sentence.text = masked(sentence.text, *verdict);
    sentence.figures.clear();
  }
  flow.answer.sentences.push_back(std::move(sentence));
}

void release(Flow& flow, VerifiedSentence sentence, bool new_line) {
  std::string plain = strip_marks(sentence.text);
  std::string reason;
  if (!guard_out(flow, plain, reason)) {
    sentence.status = SentenceStatus::withheld;
    sentence.reason = reason;
    flow.note("guard_out", "withhold", reason + ": " + plain);
    sentence.text.clear();  // the record keeps it; what a guard withholds is not shown among the withheld either
    sentence.figures.clear();
    flow.answer.sentences.push_back(std::move(sentence));
    return;
  }
  AskEvent event;
  event.kind = AskEvent::Kind::sentence;
  flow.numbers.resize(flow.passages.size(), 0);
  std::vector<int> cited;
  for (int passage : sentence.citations) {
    if (passage < 1 || static_cast<std::size_t>(passage) > flow.passages.size()) continue;
    int& n = flow.numbers[static_cast<std::size_t>(passage - 1)];
    if (n == 0) {
      n = static_cast<int>(flow.answer.citations.size()) + 1;
      flow.answer.citations.push_back(cite(n, flow.passages[static_cast<std::size_t>(passage - 1)], plain));
      event.citations.push_back(flow.answer.citations.back());
    }
    if (std::find(cited.begin(), cited.end(), n) == cited.end()) cited.push_back(n);
  }
  for (auto& figure : sentence.figures)
    if (figure.citation > 0 && static_cast<std::size_t>(figure.citation) <= flow.numbers.size())
      figure.citation = flow.numbers[static_cast<std::size_t>(figure.citation - 1)];
  std::sort(cited.begin(), cited.end());
  sentence.citations = cited;
  sentence.text = with_marks(plain, cited, flow.chinese());
  const std::string gap = flow.released.empty() ? "" : new_line ? "\n" : flow.chinese() ? "" : " ";
  place_figures(sentence.figures, sentence.text, text::code_points(flow.released + gap));
  flow.released += gap + sentence.text;
  flow.answer.figures.insert(flow.answer.figures.end(), sentence.figures.begin(), sentence.figures.end());
  event.sentence = sentence;
  flow.answer.sentences.push_back(std::move(sentence));
  if (!flow.hold) flow.tell(event);
}

}  // namespace heng::pipeline
