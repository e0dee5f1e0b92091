#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heng/contracts/vault.h"
#include "heng/store/database.h"

namespace heng::vault {

/// A request as it is stored: with whose row it wants.
struct StoredRequest {
  UnmaskRequest request;
  std::string subject_tag;
};

/// A sealed value as it is stored.
struct SealedRow {
  std::string token, subject_tag, type, sealed;
  std::uint32_t key = 0;
  std::int64_t first_ms = 0, last_ms = 0;
};

/// What is authenticated with a sealed value.
std::string seal_context(const TenantId& tenant, const std::string& token, const std::string& subject_tag, const std::string& type);
/// What a second person reads and what its hash binds; made anew from what is stored whenever it is needed.
std::string text_of(const UnmaskRequest& request);

Result<std::optional<SealedRow>> find_row(store::Database& db, const TenantId& tenant, const std::string& token, const std::string& subject_tag);
Result<std::vector<SealedRow>> select_rows(store::Database& db, const TenantId& tenant, const std::string& token, const std::string& type, int limit);

Result<void> insert_request(store::Database& db, const TenantId& tenant, const StoredRequest& stored);
/// `requester` empty: of everybody.
Result<std::vector<StoredRequest>> select_requests(store::Database& db, const TenantId& tenant, const UserId& requester, int limit);
/// Errors: not_found.
Result<StoredRequest> find_request(store::Database& db, const TenantId& tenant, const UnmaskId& id);

}  // namespace heng::vault
