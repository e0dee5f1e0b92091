#include "heng/store/keys.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include <cstdlib>

#include "heng/base/text.h"
#include "heng/store/database.h"
#include "heng/store/files.h"

namespace heng::store {

Result<SecretKey> load_master_key(const MasterKeySource& source) {
  if (!source.environment.empty()) {
    if (const char* value = std::getenv(source.environment.c_str()); value != nullptr && *value != '\0') {
      auto key = SecretKey::from_hex(text::trim(value));
      if (!key.ok()) return Error(ErrorCode::invalid_argument, fmt::format("environment variable {}: {}", source.environment, key.error().message));
      return key;
    }
  }
  struct stat status {};
  if (source.file.empty() || ::stat(source.file.c_str(), &status) != 0) {
    return Error(ErrorCode::not_found, fmt::format("no master key: set the environment variable {} or make the file {} (`heng init` does)",
                                                   source.environment, source.file.string()));
  }
  if ((status.st_mode & 077) != 0) {
    return Error(ErrorCode::permission_denied, fmt::format("{}: others may read the master key; run: chmod 600 {}", source.file.string(), source.file.string()));
  }
  std::string hex = HENG_TRY(read_whole_file(source.file, 4096));
  auto key = SecretKey::from_hex(text::trim(hex));
  OPENSSL_cleanse(hex.data(), hex.size());
  if (!key.ok()) return Error(ErrorCode::invalid_argument, fmt::format("{}: {}", source.file.string(), key.error().message));
  return key;
}

Result<void> write_master_key(const std::filesystem::path& file, const SecretKey& key) {
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    return Error(ErrorCode::already_exists, fmt::format("{}: exists already; a master key is never overwritten", file.string()));
  }
  std::string hex = key.hex() + "\n";
  auto written = write_file_durably(file, hex, 0600);
  OPENSSL_cleanse(hex.data(), hex.size());
  return written;
}

namespace {

Result<void> rotate_database(const RotationPlan::File& file, const SecretKey& old_master, const SecretKey& new_master) {
  std::error_code ignored;
  if (!std::filesystem::exists(file.path, ignored)) return {};
  const DatabaseSettings settings{.path = file.path, .key = derive_key(new_master, file.purpose), .create = false, .busy_timeout_ms = 1000};
  if (Database::open(settings).ok()) return {};
  return Database::reencrypt(file.path, derive_key(old_master, file.purpose), derive_key(new_master, file.purpose));
}

}  // namespace

Result<void> rotate(const RotationPlan& plan, const SecretKey& old_master, const SecretKey& new_master) {
  for (const auto& file : plan.databases) HENG_TRY(rotate_database(file, old_master, new_master));
  std::error_code ignored;
  if (plan.keyring.empty() || !std::filesystem::exists(plan.keyring, ignored)) return {};
  if (Keyring::open(plan.keyring, new_master).ok()) return {};
  auto keyring = HENG_TRY(Keyring::open(plan.keyring, old_master));
  return keyring->rewrap(new_master);
}

}  // namespace heng::store
