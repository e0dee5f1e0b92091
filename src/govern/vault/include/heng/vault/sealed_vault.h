#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "heng/base/clock.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/review.h"
#include "heng/contracts/vault.h"
#include "heng/store/keys.h"
#include "heng/store/pool.h"

namespace heng::vault {

struct VaultSettings {
  std::chrono::minutes valid{24 * 60};   ///< From a request to the reading; 1 minute to a year.
};

/// The tables of the vault: version 5 of the database "govern".
const std::vector<store::Migration>& migrations();

/// The vault on the database "govern". Lifetime: what it is given outlives it. Threads: safe. Processes: several may share it.
class SealedVault final : public Vault {
 public:
  /// Errors: invalid_argument (the setting).
  static Result<std::unique_ptr<SealedVault>> create(VaultSettings settings, store::Pool& pool, store::Keyring& keyring, Reviews& reviews, Audit& audit,
                                                     const Clock& clock = system_clock(), Random& random = system_random());

  Result<void> keep(const Principal&, const std::vector<VaultItem>& items) override;
  Result<std::vector<VaultEntry>> list(const Principal&, const VaultQuery&) override;
  Result<UnmaskRequest> request(const Principal& requester, const std::string& token, const std::string& reason) override;
  Result<std::vector<UnmaskRequest>> requests(const Principal&, int limit) override;
  Result<UnmaskRequest> decide(const Principal& approver, const UnmaskId&, bool approve, const std::string& sha256, const std::string& reason) override;
  Result<Unmasked> show(const Principal& requester, const UnmaskId&) override;

 private:
  SealedVault(VaultSettings settings, store::Pool& pool, store::Keyring& keyring, Reviews& reviews, Audit& audit, const Clock& clock, Random& random)
      : settings_(settings), pool_(pool), keyring_(keyring), reviews_(reviews), audit_(audit), clock_(clock), random_(random) {}
  Result<void> note(const Principal& who, const char* action, const UnmaskRequest& request, const std::string& subject, const std::string& outcome);
  /// As the queue has it now, for somebody who may see the item.
  void add_state(const Principal& who, UnmaskRequest& request);
  Result<std::string> unsealed(const TenantId& tenant, const UnmaskRequest& request, const std::string& subject_tag);

  VaultSettings settings_;
  store::Pool& pool_;
  store::Keyring& keyring_;
  Reviews& reviews_;
  Audit& audit_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace heng::vault
