// Reading a policy of phrases, and everything for which one is refused.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "clauses.h"
#include "heng/base/text.h"
#include "heng/guard_conduct/phrases.h"

extern "C" {
extern const char heng_marketing_begin[], heng_marketing_end[];
}

namespace heng::guard_conduct {
namespace {

using guard_policy::Reader;
using guard_policy::Value;

/// What a bank says all day. A policy that stops most of it would block everything.
constexpr std::string_view everyday[] = {
    "您好，请问有什么可以帮您？", "信用卡年费每年200元，刷满六次免收。", "转账一般实时到账，跨行可能需要一个工作日。", "三年期定期存款年利率为1.55%。", "请携带身份证到网点办理。",
    "投资有风险，选择需谨慎。", "本产品不保证本金和收益。", "贷款期限最长三十年。", "手机银行可以修改密码。", "网点周末不营业。",
    "How can I help you today?", "The annual fee is 200 dollars.", "A transfer takes one working day.", "The three-year rate is 1.55 percent.", "Please bring your passport to the branch.",
    "Investments can fall as well as rise.", "Returns are not guaranteed.", "The loan runs for thirty years at most.", "You can change your password in the app.", "The branch is closed on Sundays."};

bool read_action(std::string_view s, RuleAction& out) {
  for (const auto action : {RuleAction::advise, RuleAction::review, RuleAction::withhold})
    if (to_string(action) == s) {
      out = action;
      return true;
    }
  return false;
}

Result<std::vector<std::string>> phrases_of(Reader& reader, const char* key) {
  std::vector<std::string> out;
  for (const auto& phrase : HENG_TRY(reader.texts_or_none(key))) {
    std::string folded;  // part by part: the fold drops marks between Chinese characters
    for (const auto part : text::split(phrase, '~')) folded += (folded.empty() ? "" : "~") + fold(part).text;
    // a further part may be one character (亏了~赔), for the first one narrows where it is looked for
    const auto parts = text::split(folded, '~');
    for (std::size_t i = 0; i < parts.size(); ++i)
      if (text::code_points(parts[i]) < (i == 0 ? 2u : 1u)) return reader.fail(reader.line_of(key), fmt::format("\"{}\" is too short: it would be found everywhere", phrase));
    out.push_back(folded);
  }
  return out;
}

Result<PhraseRule> read_rule(const Value& table, const std::string& file, std::set<std::string>& ids, std::map<std::string, std::string>& owners) {
  Reader reader(table, file, "[[rule]]");
  PhraseRule out;
  out.line = table.line;
  out.id = HENG_TRY(reader.text("id"));
  if (!ids.insert(out.id).second) return reader.fail(reader.line_of("id"), fmt::format("the rule \"{}\" is there twice", out.id));
  out.title = HENG_TRY(reader.text("title"));
  out.clause = HENG_TRY(reader.text("clause"));
  if (!read_action(HENG_TRY(reader.text("action")), out.action)) return reader.fail(reader.line_of("action"), "action must be advise, review or withhold");
  out.negation_lifts = HENG_TRY(reader.flag_or("negation_lifts", true));
  for (const char* key : {"zh", "en"})
    for (auto& phrase : HENG_TRY(phrases_of(reader, key))) out.phrases.push_back(std::move(phrase));
  out.unless = HENG_TRY(phrases_of(reader, "unless"));
  for (const char* key : {"violates", "allows"}) reader.take(key);
  HENG_TRY(reader.finish());
  if (out.phrases.empty()) return reader.fail(fmt::format("the rule \"{}\" has no phrases (zh or en)", out.id));
  for (const auto& phrase : out.phrases) {
    if (std::find(out.unless.begin(), out.unless.end(), phrase) != out.unless.end())
      return reader.fail(reader.line_of("unless"), fmt::format("the rule \"{}\" forbids and excuses \"{}\": which one holds?", out.id, phrase));
    const auto [owner, fresh] = owners.emplace(phrase, out.id);
    if (!fresh) return reader.fail(fmt::format("\"{}\" is in the rules \"{}\" and \"{}\": which action holds?", phrase, owner->second, out.id));
  }
  return out;
}

Result<Disclosure> read_disclosure(const Value& table, const std::string& file, std::set<std::string>& ids) {
  Reader reader(table, file, "[[disclosure]]");
  Disclosure out;
  out.id = HENG_TRY(reader.text("id"));
  if (!ids.insert(out.id).second) return reader.fail(reader.line_of("id"), fmt::format("\"{}\" is there twice", out.id));
  out.clause = HENG_TRY(reader.text("clause"));
  out.when = HENG_TRY(phrases_of(reader, "when"));
  out.wanted = HENG_TRY(phrases_of(reader, "wanted"));
  out.zh = HENG_TRY(reader.text("zh"));
  out.en = HENG_TRY(reader.text("en"));
  HENG_TRY(reader.finish());
  if (out.when.empty() || out.wanted.empty()) return reader.fail("\"when\" and \"wanted\" must each hold a text");
  for (const auto& said : out.when)
    for (const auto& wanted : out.wanted)
      if (said.find(wanted) != std::string::npos)
        return reader.fail(reader.line_of("wanted"), fmt::format("\"{}\" asks for the disclosure and is one itself (\"{}\"): it would never be asked for", said, wanted));
  for (const auto* text : {&out.zh, &out.en}) {
    const auto folded = fold(*text).text;
    if (std::none_of(out.wanted.begin(), out.wanted.end(), [&](const std::string& w) { return folded.find(w) != std::string::npos; }))
      return reader.fail(fmt::format("the text to add (\"{}\") holds none of \"wanted\": it would be asked for again", *text));
  }
  return out;
}

}  // namespace

Result<void> PhraseRules::read(std::string_view text, const std::string& name) {
  const auto file = HENG_TRY(guard_policy::parse(text, name));
  Reader reader = guard_policy::body(file);
  if (file.header.kind != "marketing") return reader.fail(reader.line_of("kind"), fmt::format("kind is \"{}\", wanted \"marketing\"", file.header.kind));
  header_ = file.header;
  std::set<std::string> ids;
  std::map<std::string, std::string> owners;
  for (const Value* table : HENG_TRY(reader.tables_or_none("rule"))) rules_.push_back(HENG_TRY(read_rule(*table, name, ids, owners)));
  for (const Value* table : HENG_TRY(reader.tables_or_none("disclosure"))) disclosures_.push_back(HENG_TRY(read_disclosure(*table, name, ids)));
  HENG_TRY(reader.finish());
  if (rules_.empty()) return reader.fail("there is no [[rule]]: an empty policy would let everything through");
  HENG_TRY(prepare());
  return run_own_tests(file);
}

Result<void> PhraseRules::run_own_tests(const guard_policy::File& file) const {
  Reader reader(file.root, file.name, "");
  for (const Value* table : HENG_TRY(reader.tables_or_none("rule"))) {
    Reader rule(*table, file.name, "[[rule]]");
    const auto id = HENG_TRY(rule.text("id"));
    const auto hit = [&](const std::string& text) -> Result<bool> {
      const auto violations = HENG_TRY(check(text));
      return std::any_of(violations.begin(), violations.end(), [&](const Violation& v) { return v.rule == id; });
    };
    const auto bad = HENG_TRY(rule.texts_or_none("violates")), good = HENG_TRY(rule.texts_or_none("allows"));
    if (bad.empty()) return rule.fail(fmt::format("the rule \"{}\" has no test (violates = [...])", id));
    for (const auto& text : bad)
      if (!HENG_TRY(hit(text))) return rule.fail(rule.line_of("violates"), fmt::format("the rule \"{}\" does not find its own test \"{}\"", id, text));
    for (const auto& text : good)
      if (HENG_TRY(hit(text))) return rule.fail(rule.line_of("allows"), fmt::format("the rule \"{}\" stops \"{}\", which it says it allows", id, text));
  }
  // what one rule adds, another may not forbid
  for (const Value* table : HENG_TRY(reader.tables_or_none("disclosure"))) {
    Reader disclosure(*table, file.name, "[[disclosure]]");
    for (const char* language : {"zh", "en"}) {
      const auto added = HENG_TRY(disclosure.text(language));
      for (const auto& violation : HENG_TRY(check(added)))
        if (violation.action != RuleAction::advise)
          return disclosure.fail(disclosure.line_of(language), fmt::format("the text to add (\"{}\") is forbidden by the rule \"{}\": which one holds?", added, violation.rule));
    }
  }
  std::size_t stopped = 0;
  std::string by;
  for (const auto text : everyday)
    for (const auto& violation : HENG_TRY(check(text)))
      if (violation.action != RuleAction::advise) {
        ++stopped;
        by = violation.rule;
        break;
      }
  if (stopped * 4 > std::size(everyday)) {
    for (const auto& rule : rules_)
      if (rule.id == by)
        return Error(ErrorCode::malformed_input, fmt::format("{}, line {}: the policy would block everything: {} of {} everyday sentences are stopped, the last by \"{}\"",
                                                             file.name, rule.line, stopped, std::size(everyday), by));
  }
  return {};
}

Result<std::unique_ptr<PhraseRules>> PhraseRules::create(std::string_view text, const std::string& name) {
  std::unique_ptr<PhraseRules> out(new PhraseRules);
  HENG_TRY(out->read(text, name));
  return out;
}

std::string_view default_marketing_text() { return {heng_marketing_begin, static_cast<std::size_t>(heng_marketing_end - heng_marketing_begin)}; }

}  // namespace heng::guard_conduct
