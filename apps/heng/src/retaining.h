#pragma once

#include <optional>
#include <string>

#include "config.h"
#include "heng/audit/ledger.h"
#include "heng/audit/reader.h"
#include "heng/erasure/retention.h"
#include "heng/knowledge_sqlite/knowledge_base.h"

namespace heng::app {

/// FOLDER/policies/retention.toml where it is there and its dates hold. Errors: malformed_input (file, line, reason).
Result<std::optional<erasure::RetentionPolicy>> retention_policy(const Config& config);

/// What the retention needs, joined from the rooms. All of it outlives the retention.
erasure::RetentionParts retention_parts(const Config& config, const store::SecretKey& master, store::Keyring& keyring, store::Pool& govern, store::Pool& ratings, audit::Ledger& ledger,
                                        audit::LedgerReader& reader, knowledge_sqlite::KnowledgeBase& knowledge);

/// A policy to begin with.
std::string retention_example();

}  // namespace heng::app
