#pragma once

#include "heng/contracts/identity.h"
#include "heng/contracts/users.h"

namespace heng::app {

/// Keys ("heng_…") and people's sessions ("hengs_…") behind one port; the prefix says whose it is. Quotas are those of keys; a
/// session has none of its own.
///
/// Lifetime: both outlive it. Threads: safe.
class Identities final : public Identity {
 public:
  Identities(Identity& keys, Users& users) : keys_(keys), users_(users) {}

  Result<Principal> authenticate(const std::string& bearer) override { return bearer.starts_with("hengs_") ? users_.session(bearer) : keys_.authenticate(bearer); }
  Result<void> admit(const Principal& principal) override { return is_session(principal) ? Result<void>() : keys_.admit(principal); }
  void spend_tokens(const Principal& principal, std::int64_t tokens) override {
    if (!is_session(principal)) keys_.spend_tokens(principal, tokens);
  }
  Result<std::pair<KeyInfo, std::string>> create_key(const NewKey& wanted) override { return keys_.create_key(wanted); }
  Result<std::vector<KeyInfo>> keys(const TenantId& tenant) override { return keys_.keys(tenant); }
  Result<void> revoke_key(const TenantId& tenant, const KeyId& id) override { return keys_.revoke_key(tenant, id); }

 private:
  static bool is_session(const Principal& principal) { return principal.key.value.starts_with("session:"); }
  Identity& keys_;
  Users& users_;
};

}  // namespace heng::app
