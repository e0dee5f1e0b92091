#include "approved_models.h"

#include <fmt/format.h>

#include <algorithm>

#include "heng/base/hash.h"

namespace heng::app {
namespace {

Error refused(const std::string& why) { return {ErrorCode::policy_denied, why + "; see `heng inventory list`", "model"}; }

const TenantId whole_house{"default"};

}  // namespace

Result<void> ApprovedModels::check_entry(const TenantId& tenant, const std::string& name, const std::string& sha256) const {
  Principal reader;
  // a request's tenant may say behind a line end who shares prompts within it; no tenant's name holds one
  for (const auto& owner : {TenantId(tenant.value.substr(0, tenant.value.find('\n'))), whole_house}) {
    if (owner.empty()) continue;
    reader.tenant = owner;
    auto entries = inventory_.models(reader);
    if (!entries.ok()) return refused(fmt::format("the inventory cannot be read ({}), so no model runs", entries.error().message));
    const auto entry = std::find_if(entries->begin(), entries->end(), [&](const auto& e) { return e.name == name; });
    if (entry == entries->end()) continue;
    if (entry->approval != "approved") return refused(fmt::format("\"{}\" is {} in the inventory, not approved", name, entry->approval));
    if (entry->sha256 != sha256) return refused(fmt::format("\"{}\" was approved with the weights {}…, and these are {}…", name, entry->sha256.substr(0, 16), sha256.substr(0, 16)));
    return {};
  }
  return refused(fmt::format("\"{}\" is not in the inventory of models: it must be proposed and approved before it is used", name));
}

Result<void> ApprovedModels::check(const TenantId& tenant, const std::string& model, const std::string& adapter) const {
  for (const auto& info : models_.models()) {
    if (info.kind != ModelInfo::Kind::chat || (model.empty() ? !info.is_default : info.name != model)) continue;
    HENG_TRY(check_entry(tenant, info.name, info.sha256));
    if (adapter.empty()) return {};
    const auto known = adapters_.find(adapter);
    return check_entry(tenant, adapter, known == adapters_.end() ? std::string() : known->second);
  }
  return {};  // there is no such model: who runs it says so
}

Result<ChatResult> ApprovedModels::chat(const ChatRequest& request, const ChatSink& sink, std::stop_token stop) {
  HENG_TRY(check(request.tenant, request.model, request.lora));
  return models_.chat(request, sink, std::move(stop));
}

Result<ScoreResult> ApprovedModels::score(const ScoreRequest& request, std::stop_token stop) {
  HENG_TRY(check(request.tenant, request.model, {}));
  return models_.score(request, std::move(stop));
}

std::vector<std::string> approval_warnings(const Inference& models, const ApprovedModels* approved) {
  if (approved == nullptr) return {"models run without approval: [governance] require_approved_models is false"};
  std::vector<std::string> out;
  for (const auto& info : models.models()) {
    if (info.kind != ModelInfo::Kind::chat) continue;
    if (auto may = approved->check(whole_house, info.name, {}); !may.ok()) out.push_back(may.error().message);
  }
  return out;
}

Result<std::map<std::string, std::string>> adapter_hashes(const Config& config) {
  std::map<std::string, std::string> out;
  for (const auto& adapter : config.adapters) out[adapter.name] = HENG_TRY(sha256_file(adapter.path));
  return out;
}

}  // namespace heng::app
