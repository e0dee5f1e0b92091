#pragma once

#include <cstdint>
#include <string>

#include "heng/base/result.h"
#include "heng/contracts/audit_reader.h"
#include "heng/contracts/feedback.h"
#include "heng/contracts/knowledge.h"
#include "heng/contracts/review.h"

namespace heng::explain {

/// Where the parts of an explanation come from. Only the ledger is needed; what is absent is left out.
struct Sources {
  AuditReader& audit;
  Knowledge* knowledge = nullptr;
  Reviews* reviews = nullptr;
  Feedback* feedback = nullptr;
  std::string version;                ///< Of the program that explains.
  std::string institution = "Heng";   ///< Named in the AI-content label as the producer.
};

enum class Wording { english, chinese };

/// The explanation of a record (of its opening or closing half) as one JSON object. The principal sees what it may: records
/// of its tenant, passages its roles read. Errors: not_found, corrupt, unavailable.
Result<std::string> explain(const Sources& sources, const Principal& who, std::int64_t index);

/// The same for people, from the JSON that explain() made.
std::string plain(const std::string& explanation, Wording wording);
/// One page without scripts and without anything from elsewhere; everything in it is escaped.
std::string html(const std::string& explanation, Wording wording);

}  // namespace heng::explain
