#pragma once

#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/vault.h"

namespace heng::pipeline {

/// Keeps what a verdict says the vault must keep, before its text goes on. Without a vault such a text goes nowhere.
/// Errors: unavailable.
inline Result<void> keep_values(Vault* vault, const Principal& who, const std::vector<VaultItem>& items) {
  if (items.empty()) return {};
  if (vault == nullptr) return {ErrorCode::unavailable, "policy keeps a value of this text in the vault, and there is no vault"};
  auto kept = vault->keep(who, items);
  if (!kept.ok()) return {ErrorCode::unavailable, "a value of this text could not be put into the vault: " + kept.error().message};
  return {};
}

/// The tokens for the record.
inline std::string tokens_of(const std::vector<VaultItem>& items) {
  std::string out;
  for (const auto& item : items) out += (out.empty() ? "" : " ") + item.token;
  return out;
}

/// The name of the default model where none is asked for.
inline std::string model_name(const Inference& inference, const std::string& wanted) {
  if (!wanted.empty()) return wanted;
  for (const auto& model : inference.models())
    if (model.is_default && model.kind == ModelInfo::Kind::chat) return model.name;
  return wanted;
}

}  // namespace heng::pipeline
