#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heng/contracts/review.h"
#include "heng/store/database.h"

namespace heng::review {

/// A row of the table with its votes: everything, whoever may see it.
struct StoredReview {
  ReviewItem item;               ///< With author, votes and text.
  TenantId tenant;
  UserId editor;                 ///< Who wrote the present text; empty: as proposed.
  std::string data_subject;
  bool planted = false;
  ReviewDecision expected = ReviewDecision::reject;
};

std::string evidence_json(const std::vector<ReviewEvidence>& evidence);

Result<void> insert_review(store::Database& db, const StoredReview& stored);
/// Errors: not_found.
Result<StoredReview> find_review(store::Database& db, const TenantId& tenant, const ReviewId& id);
/// `where` continues "WHERE tenant = ?1 AND " and is a constant of this room; ?2 is `value`.
Result<std::vector<StoredReview>> select_reviews(store::Database& db, const TenantId& tenant, std::string_view where, std::string_view value, int limit);
Result<void> add_vote(store::Database& db, const ReviewId& id, const ReviewVote& vote, bool first);
/// Writes state, text, hash, editor and times back.
Result<void> update_review(store::Database& db, const StoredReview& stored);

}  // namespace heng::review
