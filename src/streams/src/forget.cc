#include "heng/streams/forget.h"

#include <vector>

namespace heng::streams {
namespace {

constexpr const char* of_tenant = "stream IN (SELECT id FROM stream WHERE tenant = ?1) AND ingest_ms < ?2";

Result<void> remove_old(store::Database& db, const TenantId& tenant, std::int64_t before_ms) {
  const std::string items = std::string("SELECT number FROM item WHERE ") + of_tenant;
  HENG_TRY(db.run("DELETE FROM delivery WHERE alert IN (SELECT id FROM alert WHERE tenant = ?1 AND ingest_ms < ?2)", tenant.value, before_ms));
  // an alert quotes the item that raised it
  HENG_TRY(db.run("DELETE FROM alert WHERE tenant = ?1 AND ingest_ms < ?2", tenant.value, before_ms));
  HENG_TRY(db.run("DELETE FROM hit WHERE tenant = ?1 AND item IN (" + items + ")", tenant.value, before_ms));
  HENG_TRY(db.run("DELETE FROM band WHERE item IN (" + items + ")", tenant.value, before_ms));
  HENG_TRY(db.run(std::string("DELETE FROM item WHERE ") + of_tenant, tenant.value, before_ms));
  // how many items the duplicate window holds is counted, not remembered
  return db.run("UPDATE stream SET live = (SELECT COUNT(*) FROM item WHERE item.stream = stream.id AND duplicate_of = 0 AND number > stream.pruned) WHERE tenant = ?1", tenant.value);
}

}  // namespace

Result<std::int64_t> forget_before(store::Pool& pool, const TenantId& tenant, std::int64_t before_ms, Forget how) {
  auto writer = HENG_TRY(pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  const auto due = HENG_TRY(writer->query_integer(std::string("SELECT COUNT(*) FROM item WHERE ") + of_tenant, tenant.value, before_ms));
  if (how == Forget::count) return due;
  HENG_TRY(remove_old(*writer, tenant, before_ms));
  HENG_TRY(transaction.commit());
  HENG_TRY(writer->checkpoint());
  return due;
}

}  // namespace heng::streams
