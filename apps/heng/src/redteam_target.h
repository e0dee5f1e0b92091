#pragma once

#include <memory>
#include <string>

#include "assembly.h"
#include "heng/redteam/hijacked_model.h"
#include "heng/redteam/target.h"

namespace heng::app {

/// The system of a folder in this process, attacked through the same flow as everyone's requests; what is asked goes to its ledger.
/// `assembly` must outlive it.
Result<std::unique_ptr<redteam::Target>> assembly_target(Assembly& assembly, const std::string& model);
/// The same flow, guards, knowledge base and readers with `model` in the model's place and a ledger in memory: nothing is kept.
Result<std::unique_ptr<redteam::Target>> hijacked_target(Assembly& assembly, redteam::HijackedModel& model);

struct HttpAttack {
  std::string url, key;            ///< An administrator's key: it makes the scratch knowledge base and a key without rights.
  std::string other_key;           ///< Of another tenant; empty: none.
  std::string model, ca_file;
};
/// A running server over HTTP. Errors: invalid_argument (URL), unavailable.
Result<std::unique_ptr<redteam::Target>> http_target(const HttpAttack& attack);

/// A name for a scratch knowledge base that nobody else has.
std::string scratch_name();

}  // namespace heng::app
