#include "batches_part.h"

#include "heng/batches/migrations.h"
#include "heng/store/keys.h"

namespace heng::app {
namespace {

Result<std::unique_ptr<store::Pool>> open_pool(const Config& config, const store::SecretKey& master) {
  return store::Pool::open({.database = {.path = config.database("batches"), .key = store::derive_key(master, "database/batches")}}, batches::migrations());
}

bool is_there(const Config& config) {
  std::error_code none;
  return std::filesystem::exists(config.database("batches"), none);
}

}  // namespace

Result<std::unique_ptr<BatchesPart>> BatchesPart::create(const Config& config) {
  std::unique_ptr<BatchesPart> made(new BatchesPart());
  const auto master = HENG_TRY(store::load_master_key({.file = config.master_key}));
  made->pool_ = HENG_TRY(open_pool(config, master));
  made->engine_ = std::make_unique<batches::BatchEngine>(config.batches, *made->pool_);
  return made;
}

std::vector<store::BackupPart> batches_backup(const Config& config, const store::SecretKey& master) {
  if (!is_there(config)) return {};
  return {store::database_part("batches.db", config.database("batches"), store::derive_key(master, "database/batches"))};
}

Result<int> erase_from_batches(const Config& config, const store::SecretKey& master, const TenantId& tenant, const std::string& subject) {
  if (!is_there(config)) return 0;
  auto pool = HENG_TRY(open_pool(config, master));
  return batches::erase_subject(*pool, tenant, subject);
}

}  // namespace heng::app
