#include "heng/guard_egress/tools.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "heng/base/text.h"
#include "heng/guard_egress/filter.h"

extern "C" {
extern const char heng_tools_begin[], heng_tools_end[];
}

namespace heng::guard_egress {
namespace {

using guard_policy::Reader;
using guard_policy::Value;

template <class T, std::size_t N>
bool named(std::string_view text, const std::pair<std::string_view, T> (&all)[N], T& out) {
  for (const auto& [name, value] : all)
    if (name == text) {
      out = value;
      return true;
    }
  return false;
}
constexpr std::pair<std::string_view, Effect> effects[] = {{"read", Effect::read}, {"write", Effect::write}, {"money", Effect::money}, {"send", Effect::send}, {"permission", Effect::permission}};
constexpr std::pair<std::string_view, ArgumentType> types[] = {{"text", ArgumentType::text}, {"number", ArgumentType::number}, {"account", ArgumentType::account}, {"mail", ArgumentType::mail}, {"url", ArgumentType::url}};
constexpr std::pair<std::string_view, Integrity> integrities[] = {{"untrusted", Integrity::untrusted}, {"user", Integrity::user}, {"system", Integrity::system}};
constexpr std::pair<std::string_view, DataClass> classes[] = {{"C1", DataClass::c1}, {"C2", DataClass::c2}};

bool is_money(std::string_view s) {
  const std::size_t dot = s.find('.');
  const auto digits = [](std::string_view d) { return !d.empty() && std::all_of(d.begin(), d.end(), [](char c) { return c >= '0' && c <= '9'; }); };
  return dot == std::string_view::npos ? digits(s) && s.size() <= 15 : digits(s.substr(0, dot)) && digits(s.substr(dot + 1)) && s.size() <= 18;
}
bool is_account(std::string_view s) {
  return s.size() >= 6 && s.size() <= 34 && std::all_of(s.begin(), s.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}
bool is_mail(std::string_view s) {
  const auto at = s.find('@');
  if (at == 0 || at == std::string_view::npos || s.find('@', at + 1) != std::string_view::npos || s.size() > 254) return false;
  return s.find('.', at) != std::string_view::npos && std::none_of(s.begin(), s.end(), [](char c) { return c <= ' ' || c == ',' || c == ';' || c == '<' || c == '>'; });
}

/// Why the value is not what its argument takes; empty: it is.
std::string misfit(const ArgumentRule& rule, const ToolRule& tool, const std::string& value) {
  if (!text::is_valid_utf8(value)) return "is not UTF-8";
  if (static_cast<std::int64_t>(text::code_points(value)) > rule.most_characters) return fmt::format("has more than {} characters", rule.most_characters);
  switch (rule.type) {
    case ArgumentType::text: return "";
    case ArgumentType::number: return is_money(value) ? "" : "is no plain number";
    case ArgumentType::account: return is_account(value) ? "" : "is no account";
    case ArgumentType::mail: return is_mail(value) ? "" : "is no single mail address";
    case ArgumentType::url: {
      if (!value.starts_with("https://")) return "is no https link";
      if (value.find('@') != std::string::npos || value.find('\\') != std::string::npos) return "hides its host";
      return host_allowed(host_of(value), tool.hosts) ? "" : "names a host that policy does not list";
    }
  }
  return "is of no known type";
}

Result<ArgumentRule> read_argument(const Value& table, const std::string& file, const ToolRule& tool) {
  Reader reader(table, file, "[[tool.argument]]");
  ArgumentRule out;
  out.name = HENG_TRY(reader.text("name"));
  if (!named(HENG_TRY(reader.text("type")), types, out.type)) return reader.fail(reader.line_of("type"), "type must be text, number, account, mail or url");
  out.required = HENG_TRY(reader.flag_or("required", false));
  out.most_characters = HENG_TRY(reader.whole_or("most_characters", 200, 1, 100'000));
  if (!named(HENG_TRY(reader.text("least_integrity")), integrities, out.least_integrity)) return reader.fail(reader.line_of("least_integrity"), "least_integrity must be untrusted, user or system");
  if (!named(HENG_TRY(reader.text("highest_class")), classes, out.highest_class)) return reader.fail(reader.line_of("highest_class"), "highest_class must be C1 or C2: C3 never goes to a tool");
  HENG_TRY(reader.finish());
  const bool decides = out.type != ArgumentType::text;
  if (decides && out.least_integrity == Integrity::untrusted && tool.effect != Effect::read)
    return reader.fail(reader.line_of("least_integrity"), fmt::format("\"{}\" decides about money, a destination or a permission: it may not come from untrusted text", out.name));
  return out;
}

Result<ToolRule> read_tool(const Value& table, const std::string& file) {
  Reader reader(table, file, "[[tool]]");
  ToolRule out;
  out.name = HENG_TRY(reader.text("name"));
  if (!named(HENG_TRY(reader.text("effect")), effects, out.effect)) return reader.fail(reader.line_of("effect"), "effect must be read, write, money, send or permission");
  out.roles = HENG_TRY(reader.texts_or_none("roles"));
  out.hosts = HENG_TRY(reader.texts_or_none("hosts"));
  out.per_request = HENG_TRY(reader.whole_or("per_request", 1, 1, 1000));
  out.per_day = HENG_TRY(reader.whole_or("per_day", 0, 0, 1'000'000));
  out.confirm = HENG_TRY(reader.flag_or("confirm", false));
  out.own = HENG_TRY(reader.flag_or("own", false));
  std::set<std::string> names;
  for (const Value* argument : HENG_TRY(reader.tables_or_none("argument"))) {
    out.arguments.push_back(HENG_TRY(read_argument(*argument, file, out)));
    if (!names.insert(out.arguments.back().name).second) return reader.fail(argument->line, fmt::format("the argument \"{}\" is there twice", out.arguments.back().name));
  }
  HENG_TRY(reader.finish());
  if ((out.effect == Effect::money || out.effect == Effect::permission) && !out.confirm)
    return reader.fail(fmt::format("\"{}\" moves money or permissions and wants no confirmation: write confirm = true", out.name));
  return out;
}

}  // namespace

Result<std::unique_ptr<ToolPolicy>> ToolPolicy::create(std::string_view text, const std::string& name) {
  const auto file = HENG_TRY(guard_policy::parse(text, name));
  Reader reader = guard_policy::body(file);
  if (file.header.kind != "tools") return reader.fail(reader.line_of("kind"), fmt::format("kind is \"{}\", wanted \"tools\"", file.header.kind));
  std::unique_ptr<ToolPolicy> out(new ToolPolicy);
  out->header_ = file.header;
  for (const Value* table : HENG_TRY(reader.tables_or_none("tool"))) {
    auto tool = HENG_TRY(read_tool(*table, name));
    const auto key = tool.name;
    if (!out->tools_.emplace(key, std::move(tool)).second) return reader.fail(table->line, fmt::format("the tool \"{}\" is there twice: which rule holds?", key));
  }
  const std::string unlisted = HENG_TRY(reader.text_or("unlisted_client_tools", "deny"));
  if (unlisted != "deny" && unlisted != "confirm") return reader.fail(reader.line_of("unlisted_client_tools"), "unlisted_client_tools must be deny or confirm");
  out->unlisted_confirmed_ = unlisted == "confirm";
  HENG_TRY(reader.finish());
  if (out->tools_.empty()) return reader.fail("there is no [[tool]]: every call would be denied");
  return out;
}

ToolVerdict ToolPolicy::decide(const Principal& principal, const ToolCall& call) const {
  ToolVerdict out;
  out.clause = header_.clause;
  const auto deny = [&](std::string reason) {
    out.decision = Decision::deny;
    out.reason = std::move(reason);
    return out;
  };
  if (call.quarantined) return deny("a parser of untrusted text has no tools");
  const auto found = tools_.find(call.tool);
  if (found == tools_.end() || (call.returned && found->second.own)) {
    out.listed = false;
    if (!call.returned || !unlisted_confirmed_) return deny(fmt::format("no rule allows the tool \"{}\"", call.tool));
    for (const auto& [name, value] : call.arguments)
      if (value.labels.integrity < Integrity::user) out.untrusted.push_back(name);
    out.decision = Decision::confirm;
    out.reason = fmt::format("no rule describes the client's tool \"{}\": whatever it changes or sends, a person must confirm", call.tool);
    return out;
  }
  const ToolRule& tool = found->second;
  if (!tool.roles.empty() && std::none_of(tool.roles.begin(), tool.roles.end(), [&](const std::string& role) { return principal.has_role(role); }))
    return deny(fmt::format("the caller has none of the roles that may use \"{}\"", call.tool));
  if (call.in_request >= tool.per_request) return deny(fmt::format("\"{}\" was called {} times in this request, at most {} are allowed", call.tool, call.in_request, tool.per_request));
  if (tool.per_day > 0 && call.in_day >= tool.per_day) return deny(fmt::format("\"{}\" was called {} times today, at most {} are allowed", call.tool, call.in_day, tool.per_day));
  for (const auto& [name, value] : call.arguments)
    if (std::none_of(tool.arguments.begin(), tool.arguments.end(), [&](const ArgumentRule& rule) { return rule.name == name; }))
      return deny(fmt::format("\"{}\" takes no argument \"{}\"", call.tool, name));
  for (const auto& rule : tool.arguments) {
    const auto given = call.arguments.find(rule.name);
    if (given == call.arguments.end()) {
      if (rule.required) return deny(fmt::format("the argument \"{}\" is missing", rule.name));
      continue;
    }
    const auto& [value, labels] = given->second;
    if (const auto why = misfit(rule, tool, value); !why.empty()) return deny(fmt::format("the argument \"{}\" {}", rule.name, why));
    if (labels.data_class > rule.highest_class) return deny(fmt::format("the argument \"{}\" holds data of a class that may not go to \"{}\"", rule.name, call.tool));
    if (labels.integrity >= rule.least_integrity) continue;
    if (tool.effect == Effect::read || !tool.confirm) return deny(fmt::format("the argument \"{}\" comes from {}, which is not trusted enough", rule.name, labels.source));
    out.untrusted.push_back(rule.name);
  }
  // an effect that nobody but a document wished for needs a person too
  const bool foreign_wish = tool.effect != Effect::read && call.intent.integrity == Integrity::untrusted;
  if (foreign_wish && !tool.confirm) return deny(fmt::format("the call was led by {}, not by the user", call.intent.source));
  out.decision = tool.confirm ? Decision::confirm : Decision::allow;
  out.reason = tool.confirm ? (out.untrusted.empty() && !foreign_wish ? "policy wants a person's confirmation" : "values or the wish itself come from untrusted text: a person must confirm them") : "allowed by policy";
  return out;
}

std::string_view default_tool_policy_text() { return {heng_tools_begin, static_cast<std::size_t>(heng_tools_end - heng_tools_begin)}; }

}  // namespace heng::guard_egress
