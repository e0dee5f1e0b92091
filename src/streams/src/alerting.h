#pragma once

#include <string>
#include <vector>

#include "heng/contracts/streams.h"
#include "heng/store/database.h"
#include "heng/streams/setup.h"
#include "records.h"

namespace heng::streams {

/// What an item is counted by under a rule: the text of the key and, for companies, the code.
struct RuleKey {
  std::string text, id;
};

bool holds(const Condition& condition, const StreamItem& item, const std::vector<WatchedName>& watched);
std::vector<RuleKey> keys_of(const Rule& rule, const StreamItem& item);

/// Counts the item under each rule and raises what is due, inside the caller's transaction. The item has its number. `stream.newest_ms`
/// is the newest time seen before the batch's end. Returns how many alerts were raised.
Result<int> evaluate(store::Database& db, const Setup& setup, const StreamRow& stream, const StreamItem& item, std::int64_t now_ms);

Result<std::vector<Alert>> select_alerts(store::Database& db, const TenantId& tenant, const AlertQuery& query);
Result<Alert> find_alert(store::Database& db, const TenantId& tenant, std::int64_t id);

}  // namespace heng::streams
