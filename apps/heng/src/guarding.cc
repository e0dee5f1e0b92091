#include "guarding.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "heng/base/log.h"
#include "heng/base/text.h"
#include "heng/erasure/retention.h"
#include "heng/guard_egress/tools.h"
#include "heng/store/keys.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;

Result<std::string> read_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error(ErrorCode::not_found, "cannot read " + file.string());
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return fmt::format("{:04}-{:02}-{:02}", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
}

/// Puts the policy of the text into its place. Errors: malformed_input.
Result<guard_policy::Header> install(const std::string& text, const std::string& name, guard_flow::GatewaySettings& into) {
  const auto file = HENG_TRY(guard_policy::parse(text, name));
  const std::string& kind = file.header.kind;
  if (kind == "personal_data") into.personal_data = HENG_TRY(guard_pii::read_policy(text, name));
  else if (kind == "marketing") into.marketing = HENG_TRY(guard_conduct::PhraseRules::create(text, name));
  else if (kind == "suitability") into.suitability = HENG_TRY(guard_conduct::Suitability::create(text, name));
  else if (kind == "egress") into.egress.links = HENG_TRY(guard_egress::read_link_policy(text, name));
  else if (kind == "tools") into.tools = HENG_TRY(guard_egress::ToolPolicy::create(text, name));
  else if (kind == "retention") HENG_TRY(erasure::read_retention(text, name));
  else return Error(ErrorCode::malformed_input, fmt::format("{}: kind \"{}\" is not known; known are personal_data, marketing, suitability, egress, tools, retention", name, kind));
  return file.header;
}

struct BuiltIn {
  const char* kind;
  std::string_view text;
};
std::vector<BuiltIn> built_in() {
  return {{"personal_data", guard_pii::default_policy_text()}, {"marketing", guard_conduct::default_marketing_text()}, {"suitability", guard_conduct::default_suitability_text()},
          {"egress", guard_egress::default_link_policy_text()}, {"tools", guard_egress::default_tool_policy_text()}};
}

using InForce = std::vector<std::pair<guard_policy::Header, std::string>>;

/// Everything in force: FOLDER/policies/KIND.toml where it is there and its dates hold, else what comes with Heng. A file that does not hold is an
/// error, not a gap.
Result<guard_flow::GatewaySettings> settings_of(const fs::path& folder, InForce* in_force = nullptr) {
  guard_flow::GatewaySettings out;
  for (const auto& one : built_in()) {
    const auto file = folder / "policies" / (std::string(one.kind) + ".toml");
    std::error_code ignored;
    std::string source = "built in";
    auto header = HENG_TRY(install(std::string(one.text), std::string(one.kind) + ".toml", out));
    if (fs::exists(file, ignored)) {
      const auto text = HENG_TRY(read_file(file));
      guard_flow::GatewaySettings tried;
      const auto own = HENG_TRY(install(text, file.string(), tried));
      if (own.kind != one.kind) return Error(ErrorCode::malformed_input, fmt::format("{}: kind is \"{}\", wanted \"{}\" by its name", file.string(), own.kind, one.kind));
      if (guard_policy::in_force(own, today())) {
        header = HENG_TRY(install(text, file.string(), out));
        source = file.string();
      } else {
        log::warn("policy_not_in_force", {{"file", file.string()}, {"from", own.effective_from}, {"until", own.effective_until}});
      }
    }
    if (in_force) in_force->push_back({header, source});
  }
  // secrets that no answer may hold: a line each
  if (const auto file = folder / "policies" / "secrets.txt"; fs::exists(file)) {
    const auto text = HENG_TRY(read_file(file));
    for (const auto line : text::split(text, '\n'))
      if (!text::trim(line).empty()) out.egress.secrets.emplace_back(text::trim(line));
  }
  return out;
}

std::string bytes_of(const store::SecretKey& key) { return std::string(key.bytes()); }

}  // namespace

Result<Guards> make_guards(const Config& config, const store::SecretKey& master, guard_injection::Embed embed) {
  auto settings = HENG_TRY(settings_of(config.folder));
  settings.embed = std::move(embed);
  settings.mask_key = bytes_of(store::derive_key(master, "guard/mask"));
  auto tools = settings.tools;
  return Guards{HENG_TRY(guard_flow::Gateway::create(std::move(settings))), std::move(tools)};
}

Result<std::unique_ptr<guard_flow::Gateway>> make_gateway(const fs::path& folder, const fs::path& policy, bool names, guard_injection::Embed embed) {
  auto settings = HENG_TRY(settings_of(folder));
  settings.embed = std::move(embed);
  if (!policy.empty()) {
    const auto text = HENG_TRY(read_file(policy));
    HENG_TRY(install(text, policy.string(), settings));
  }
  settings.names = names;
  auto master = store::SecretKey::random();
  if (auto config = load_config(folder); config.ok()) master = HENG_TRY(store::load_master_key({.file = config->master_key}));
  settings.mask_key = bytes_of(store::derive_key(master, "guard/mask"));
  return guard_flow::Gateway::create(std::move(settings));
}

Result<guard_policy::Header> read_policy_file(const fs::path& file) {
  guard_flow::GatewaySettings tried;
  return install(HENG_TRY(read_file(file)), file.string(), tried);
}

Result<InForce> list_policies(const fs::path& folder) {
  InForce out;
  HENG_TRY(settings_of(folder, &out));
  // the one policy that does not come with Heng: without it everything is kept
  std::error_code none;
  if (const auto file = folder / "policies" / "retention.toml"; fs::exists(file, none)) {
    const auto text = HENG_TRY(read_file(file));
    const auto policy = HENG_TRY(erasure::read_retention(text, file.string()));
    if (guard_policy::in_force(policy.header, today())) out.push_back({policy.header, file.string()});
  }
  return out;
}

Result<std::shared_ptr<const guard_conduct::Suitability>> suitability_of(const fs::path& folder) { return HENG_TRY(settings_of(folder)).suitability; }

}  // namespace heng::app
