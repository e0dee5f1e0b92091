#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config.h"
#include "heng/base/result.h"
#include "heng/guard_flow/gateway.h"
#include "heng/store/secret.h"

namespace heng::app {

/// What stands between the world and the model, and between the model and its tools.
struct Guards {
  std::unique_ptr<guard_flow::Gateway> gateway;
  std::shared_ptr<const guard_egress::ToolPolicy> tools;   // shared with the calls that are being judged
};
/// The guards with the policies of the folder: FOLDER/policies/*.toml where they are, else those that come with Heng.
/// Errors: malformed_input (a policy: file, line, reason), and those of Gateway::create.
Result<Guards> make_guards(const Config& config, const store::SecretKey& master, guard_injection::Embed embed = {});

/// The same for a command without an assembly: a folder that is not one of Heng's serves too (masks are then of a key made for
/// this run). `policy`, of any kind, replaces the one of its kind where it is not empty.
Result<std::unique_ptr<guard_flow::Gateway>> make_gateway(const std::filesystem::path& folder, const std::filesystem::path& policy, bool names,
                                                          guard_injection::Embed embed = {});

/// Reads a policy of any kind as it would be put in force. Errors: malformed_input (file, line, reason), not_found.
Result<guard_policy::Header> read_policy_file(const std::filesystem::path& file);
/// What is in force in the folder, each with where it comes from.
Result<std::vector<std::pair<guard_policy::Header, std::string>>> list_policies(const std::filesystem::path& folder);
Result<std::shared_ptr<const guard_conduct::Suitability>> suitability_of(const std::filesystem::path& folder);

}  // namespace heng::app
