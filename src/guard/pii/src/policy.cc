#include "heng/guard_pii/policy.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include <fmt/format.h>

extern "C" {
extern const char heng_pii_policy_begin[], heng_pii_policy_end[];
}

namespace heng::guard_pii {
namespace {

using guard_policy::Reader;
using guard_policy::Value;

bool read_action(std::string_view s, Action& out) {
  for (const auto action : {Action::allow, Action::mask, Action::vault, Action::refuse})
    if (to_string(action) == s) {
      out = action;
      return true;
    }
  return false;
}

bool read_form(std::string_view s, MaskForm& out) {
  constexpr std::pair<std::string_view, MaskForm> all[] = {{"full", MaskForm::full}, {"partial", MaskForm::partial}, {"token", MaskForm::token}, {"format", MaskForm::format}};
  for (const auto& [name, form] : all)
    if (name == s) {
      out = form;
      return true;
    }
  return false;
}

/// How many characters the shortest value of the type has: a mask that keeps half of them hides nothing.
int shortest(Type type) {
  switch (type) {
    case Type::id_card: return 15;
    case Type::bank_card: return 16;  // 6 + 4 of JR/T 0171 Annex A; shorter ones keep less
    case Type::iban: return 15;
    case Type::us_ssn: return 9;
    case Type::phone_number: return 11;
    case Type::bank_account: return 8;
    default: return 0;
  }
}

Result<void> read_type(const Value& table, const std::string& file, Policy& policy, std::set<Type>& seen) {
  Reader reader(table, file, "[[type]]");
  const auto name = HENG_TRY(reader.text("name"));
  Type type;
  if (!type_of(name, type)) return reader.fail(reader.line_of("name"), fmt::format("there is no type \"{}\"", name));
  if (!seen.insert(type).second) return reader.fail(reader.line_of("name"), fmt::format("\"{}\" is there twice: which one holds?", name));
  TypeRule rule;
  const auto data_class = HENG_TRY(reader.text("class"));
  if (data_class != "C1" && data_class != "C2" && data_class != "C3") return reader.fail(reader.line_of("class"), "class must be C1, C2 or C3");
  rule.data_class = data_class == "C1" ? DataClass::c1 : data_class == "C2" ? DataClass::c2 : DataClass::c3;
  if (!read_action(HENG_TRY(reader.text("action")), rule.action)) return reader.fail(reader.line_of("action"), "action must be allow, mask, vault or refuse");
  rule.prompt = rule.answer = rule.action;
  if (const auto prompt = HENG_TRY(reader.text_or("prompt", "")); !prompt.empty() && !read_action(prompt, rule.prompt))
    return reader.fail(reader.line_of("prompt"), "prompt must be allow, mask, vault or refuse");
  if (const auto answer = HENG_TRY(reader.text_or("answer", "")); !answer.empty() && !read_action(answer, rule.answer))
    return reader.fail(reader.line_of("answer"), "answer must be allow, mask, vault or refuse");
  if (!read_form(HENG_TRY(reader.text_or("mask", "full")), rule.form)) return reader.fail(reader.line_of("mask"), "mask must be full, partial, token or format");
  rule.keep_first = static_cast<int>(HENG_TRY(reader.whole_or("keep_first", 0, 0, 12)));
  rule.keep_last = static_cast<int>(HENG_TRY(reader.whole_or("keep_last", 0, 0, 12)));
  HENG_TRY(reader.finish());
  if (rule.data_class == DataClass::c3 && (rule.action == Action::allow || rule.prompt == Action::allow || rule.answer == Action::allow))
    return reader.fail(fmt::format("\"{}\" is C3, which is never let through: action allow contradicts its class", name));
  if (rule.data_class == DataClass::c3 && rule.form == MaskForm::partial)
    return reader.fail(reader.line_of("mask"), fmt::format("\"{}\" is C3: a partial mask would show some of it", name));
  if (const int least = shortest(type); least > 0 && (rule.keep_first + rule.keep_last) * 3 > least * 2)
    return reader.fail(fmt::format("\"{}\" keeps {} of {} characters: the mask would hide nothing", name, rule.keep_first + rule.keep_last, least));
  policy.rules[static_cast<std::size_t>(type)] = rule;
  return {};
}

}  // namespace

std::string_view to_string(Action action) {
  constexpr std::string_view names[] = {"allow", "mask", "vault", "refuse"};
  return names[static_cast<std::size_t>(action)];
}
std::string_view to_string(DataClass data_class) { return data_class == DataClass::c1 ? "C1" : data_class == DataClass::c2 ? "C2" : "C3"; }

Result<Policy> read_policy(std::string_view text, const std::string& name) {
  const auto file = HENG_TRY(guard_policy::parse(text, name));
  Reader reader = guard_policy::body(file);
  if (file.header.kind != "personal_data") return reader.fail(reader.line_of("kind"), fmt::format("kind is \"{}\", wanted \"personal_data\"", file.header.kind));
  Policy out;
  out.header = file.header;
  for (auto& rule : out.rules) rule = {DataClass::c3, Action::refuse, Action::refuse, Action::refuse, MaskForm::full, 0, 0};
  std::set<Type> seen;
  for (const Value* table : HENG_TRY(reader.tables_or_none("type"))) HENG_TRY(read_type(*table, name, out, seen));
  HENG_TRY(reader.finish());
  if (seen.empty()) return reader.fail("no [[type]]: a policy that names no type would refuse everything");
  for (const auto& [channel, where] : {std::pair{Channel::record, "records"}, {Channel::prompt, "prompts"}, {Channel::answer, "answers"}}) {
    const bool refuses_all = std::all_of(seen.begin(), seen.end(), [&](Type type) { return out.action(type, channel) == Action::refuse; });
    if (refuses_all) return reader.fail(reader.line_of("type"), fmt::format("every type is refused in {}: this would block everything", where));
  }
  return out;
}

std::string_view default_policy_text() { return {heng_pii_policy_begin, static_cast<std::size_t>(heng_pii_policy_end - heng_pii_policy_begin)}; }

const Policy& default_policy() {
  static const Policy policy = [] {
    auto read = read_policy(default_policy_text(), "personal_data.toml");
    if (!read.ok()) throw std::logic_error(read.error().message);  // a broken build, not a broken input
    return *read;
  }();
  return policy;
}

}  // namespace heng::guard_pii
