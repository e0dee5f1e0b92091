#include "heng/guard_conduct/phrases.h"

#include <algorithm>

#include "clauses.h"
#include "heng/base/text.h"

namespace heng::guard_conduct {
namespace {

bool letter(char c) { return (c >= 'a' && c <= 'z'); }
bool ascii(std::string_view s) { return !s.empty() && static_cast<unsigned char>(s[0]) < 0x80; }

/// A Latin phrase begins at a word's start; it may go on ("guarantee" finds "guaranteed").
bool begins_word(std::string_view text, std::size_t at, std::string_view phrase) { return !ascii(phrase) || at == 0 || !letter(text[at - 1]) || !letter(phrase[0]); }

constexpr std::size_t most_gap_han = 16 * 3, most_gap_latin = 48;

/// End of the phrase whose first part ends at `end`; npos where the other parts do not follow in the clause.
std::size_t rest_of(std::string_view text, const std::vector<std::string>& parts, std::size_t end, std::size_t clause_end) {
  for (std::size_t k = 1; k < parts.size(); ++k) {
    const std::size_t most = ascii(parts[k]) ? most_gap_latin : most_gap_han;
    std::size_t at = text.find(parts[k], end);
    while (at != std::string_view::npos && !begins_word(text, at, parts[k])) at = text.find(parts[k], at + 1);
    if (at == std::string_view::npos || at - end > most || at >= clause_end) return std::string_view::npos;
    end = at + parts[k].size();
  }
  return end;
}

bool any_in(std::string_view text, const std::vector<std::string>& words) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& w) { return text.find(w) != std::string_view::npos; });
}

}  // namespace

std::string_view to_string(RuleAction action) {
  constexpr std::string_view names[] = {"advise", "review", "withhold"};
  return names[static_cast<std::size_t>(action)];
}

PhraseRules::~PhraseRules() = default;

Result<void> PhraseRules::prepare() {
  std::vector<guard_text::Literal> first, exceptions;
  for (std::size_t r = 0; r < rules_.size(); ++r) {
    for (const auto& phrase : rules_[r].phrases) {
      Phrase one{r, {}};
      for (const auto part : text::split(phrase, '~')) one.parts.emplace_back(part);
      first.push_back({one.parts.front()});
      phrases_.push_back(std::move(one));
    }
    for (const auto& exception : rules_[r].unless) {
      exceptions.push_back({exception});
      exception_rule_.push_back(r);
    }
  }
  first_parts_ = HENG_TRY(guard_text::Literals::create(first));
  exceptions_ = HENG_TRY(guard_text::Literals::create(exceptions));
  return {};
}

Result<std::vector<Violation>> PhraseRules::check(std::string_view original) const {
  const Folded folded = fold(original);
  const std::string_view text = folded.text;
  struct Place {
    std::size_t rule, begin, end;
  };
  std::vector<Place> excused, found;
  HENG_TRY(exceptions_->scan(text, [&](std::size_t id, std::size_t begin, std::size_t end) { excused.push_back({exception_rule_[id], begin, end}); }));
  HENG_TRY(first_parts_->scan(text, [&](std::size_t id, std::size_t begin, std::size_t end) {
    const Phrase& phrase = phrases_[id];
    if (!begins_word(text, begin, phrase.parts.front())) return;
    const std::size_t until = phrase.parts.size() == 1 ? end : rest_of(text, phrase.parts, end, sentence_at(text, begin, end).end);
    if (until == std::string_view::npos) return;
    for (const auto& e : excused)
      if (e.rule == phrase.rule && e.begin <= begin && end <= e.end) return;
    if (rules_[phrase.rule].negation_lifts && is_not_promised(text, begin, until)) return;
    found.push_back({phrase.rule, begin, until});
  }));
  std::sort(found.begin(), found.end(), [](const Place& a, const Place& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
  std::vector<Violation> out;
  std::vector<std::size_t> last_end(rules_.size(), 0);
  for (const auto& place : found) {
    if (place.end <= last_end[place.rule]) continue;  // inside one of the same rule
    last_end[place.rule] = place.end;
    const auto& rule = rules_[place.rule];
    out.push_back({rule.id, rule.title, rule.clause, rule.action, folded.original[place.begin], folded.original_end[place.end - 1], ""});
  }
  for (const auto& disclosure : disclosures_)
    if (any_in(text, disclosure.when) && !any_in(text, disclosure.wanted))
      out.push_back({disclosure.id, "missing disclosure", disclosure.clause, RuleAction::advise, 0, 0, text::language_of(original) == text::Language::english ? disclosure.en : disclosure.zh});
  return out;
}

}  // namespace heng::guard_conduct
