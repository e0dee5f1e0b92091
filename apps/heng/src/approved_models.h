#pragma once

#include <map>
#include <string>
#include <vector>

#include "config.h"
#include "heng/contracts/inference.h"
#include "heng/monitor/registry.h"

namespace heng::app {

/// Models behind the inventory: chatting and scoring with weights or an adapter that nobody approved is refused. The tenant's own
/// entry of a name decides, else that of the tenant "default". Embedding, tokenizing and replaying are not asked about.
///
/// Lifetime: outlived by models and inventory. Threads: safe.
class ApprovedModels final : public Inference {
 public:
  /// `adapters`: name → SHA-256 of the file.
  ApprovedModels(Inference& models, monitor::Registry& inventory, std::map<std::string, std::string> adapters)
      : models_(models), inventory_(inventory), adapters_(std::move(adapters)) {}

  /// policy_denied (which model, why, what to do), with param "model"; an inventory that cannot be read refuses too.
  Result<void> check(const TenantId& tenant, const std::string& model, const std::string& adapter) const;

  Result<ChatResult> chat(const ChatRequest&, const ChatSink& sink, std::stop_token stop) override;
  Result<ScoreResult> score(const ScoreRequest&, std::stop_token stop) override;
  Result<EmbedResult> embed(const EmbedRequest& request, std::stop_token stop) override { return models_.embed(request, std::move(stop)); }
  Result<ReplayResult> replay(const ReplayRequest& request, std::stop_token stop) override { return models_.replay(request, std::move(stop)); }
  Result<std::vector<std::int32_t>> tokenize(const std::string& model, const std::string& text) override { return models_.tokenize(model, text); }
  std::vector<ModelInfo> models() const override { return models_.models(); }
  std::vector<InferenceStats> stats() const override { return models_.stats(); }

 private:
  Result<void> check_entry(const TenantId& tenant, const std::string& name, const std::string& sha256) const;
  Inference& models_;
  monitor::Registry& inventory_;
  std::map<std::string, std::string> adapters_;
};

/// What /readyz and the monitor warn of: that approval is not asked for, or which chat models are refused.
std::vector<std::string> approval_warnings(const Inference& models, const ApprovedModels* approved);

/// The adapters of the configuration with the SHA-256 of their files. Errors: not_found.
Result<std::map<std::string, std::string>> adapter_hashes(const Config& config);

}  // namespace heng::app
