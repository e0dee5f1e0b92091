#pragma once

#include "heng/store/keys.h"
#include "heng/tlog/note.h"

namespace heng::audit {

// The log's signing seed is a data key of a tenant no request can have, so that a new master key does not change the log's.
inline const TenantId signing_tenant{"heng:ledger-signing"};

inline Result<tlog::NoteSigner> make_signer(const std::string& origin, store::Keyring& keyring) {
  const auto key = HENG_TRY(keyring.current(signing_tenant));
  return tlog::NoteSigner::create(origin, key.key.bytes());
}

}  // namespace heng::audit
