#include "policy_list.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "guarding.h"
#include "heng/base/text.h"
#include "heng/guard_egress/tools.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;
using guard_policy::Value;

std::string text_at(const Value& table, std::string_view key) {
  const Value* value = table.find(key);
  const auto* text = value ? std::get_if<std::string>(&value->data) : nullptr;
  return text ? *text : std::string();
}

bool flag_at(const Value& table, std::string_view key) {
  const Value* value = table.find(key);
  const auto* flag = value ? std::get_if<bool>(&value->data) : nullptr;
  return flag && *flag;
}

std::vector<std::string> texts_at(const Value& table, std::string_view key) {
  std::vector<std::string> out;
  const Value* value = table.find(key);
  const auto* array = value ? std::get_if<Value::Array>(&value->data) : nullptr;
  if (array == nullptr) return out;
  for (const auto& item : *array)
    if (const auto* text = std::get_if<std::string>(&item.data)) out.push_back(*text);
  return out;
}

/// "mask (partial); prompt allow": the actions that differ from the first are named.
std::string personal_data_action(const Value& table) {
  const std::string action = text_at(table, "action"), mask = text_at(table, "mask");
  std::string out = action == "mask" ? fmt::format("mask ({})", mask.empty() ? "full" : mask) : action;
  for (const char* channel : {"prompt", "answer"})
    if (const auto other = text_at(table, channel); !other.empty() && other != action) out += fmt::format("; {} {}", channel, other);
  return out;
}

PolicyRule rule_of(const std::string& kind, const Value& table) {
  PolicyRule out;
  out.kind = kind;
  out.line = table.line;
  out.clause = text_at(table, "clause");
  out.id = text_at(table, kind == "client" || kind == "product" ? "level" : kind == "type" || kind == "tool" ? "name" : "id");
  if (kind == "rule") {
    out.title = text_at(table, "title");
    out.action = text_at(table, "action");
    out.violates = texts_at(table, "violates");
    out.allows = texts_at(table, "allows");
  } else if (kind == "disclosure") {
    out.title = text_at(table, "zh") + " / " + text_at(table, "en");
    out.action = "add";
  } else if (kind == "type") {
    out.title = text_at(table, "class");
    out.action = personal_data_action(table);
  } else if (kind == "client") {
    out.title = text::join(texts_at(table, "names"), ", ");
    out.action = fmt::format("recommend up to {}, on request up to {}", text_at(table, "highest"), text_at(table, "on_request"));
  } else if (kind == "product") {
    out.title = text::join(texts_at(table, "names"), ", ");
  } else if (kind == "tool") {
    const auto roles = texts_at(table, "roles");
    out.title = roles.empty() ? "every role" : text::join(roles, ", ");
    out.action = text_at(table, "effect") + (flag_at(table, "confirm") ? ", a person confirms" : "");
  }
  return out;
}

std::vector<PolicyRule> rules_of(const guard_policy::File& file) {
  std::vector<PolicyRule> out;
  if (file.header.kind == "egress") {
    PolicyRule links;
    links.kind = links.id = "links";
    links.title = text::join(texts_at(file.root, "allowed_hosts"), ", ");
    links.action = fmt::format("images {}, links {}, plain links {}", text_at(file.root, "images"), text_at(file.root, "links"), text_at(file.root, "plain_links"));
    return {links};
  }
  for (const char* kind : {"rule", "disclosure", "type", "client", "product", "tool"}) {
    const Value* value = file.root.find(kind);
    const auto* tables = value ? std::get_if<Value::Array>(&value->data) : nullptr;
    if (tables == nullptr) continue;
    for (const auto& table : *tables) out.push_back(rule_of(kind, table));
  }
  return out;
}

Result<std::string> text_of(const guard_policy::Header& header, const std::string& source) {
  if (source != "built in") {
    std::ifstream in(source, std::ios::binary);
    if (!in) return Error(ErrorCode::not_found, "cannot read " + source);
    return std::string{std::istreambuf_iterator<char>(in), {}};
  }
  if (header.kind == "personal_data") return std::string(guard_pii::default_policy_text());
  if (header.kind == "marketing") return std::string(guard_conduct::default_marketing_text());
  if (header.kind == "suitability") return std::string(guard_conduct::default_suitability_text());
  if (header.kind == "egress") return std::string(guard_egress::default_link_policy_text());
  return std::string(guard_egress::default_tool_policy_text());
}

}  // namespace

Result<std::vector<PolicyInfo>> policies_in_force(const fs::path& folder) {
  std::vector<PolicyInfo> out;
  const auto listed = HENG_TRY(list_policies(folder));
  for (const auto& [header, source] : listed) {
    const auto text = HENG_TRY(text_of(header, source));
    const auto file = HENG_TRY(guard_policy::parse(text, source));
    if (file.header.sha256 != header.sha256) return Error(ErrorCode::conflict, fmt::format("{} changed while it was read; read the policies again", source));
    PolicyInfo info{.kind = header.kind, .id = header.id, .version = header.version, .owner = header.owner, .clause = header.clause, .effective_from = header.effective_from,
                    .effective_until = header.effective_until, .sha256 = header.sha256, .file = {}, .rules = rules_of(file)};
    if (source != "built in") info.file = fs::path(source).filename().string();
    out.push_back(std::move(info));
  }
  return out;
}

}  // namespace heng::app
