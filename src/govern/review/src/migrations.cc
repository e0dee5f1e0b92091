#include "heng/review/migrations.h"

namespace heng::review {

const std::vector<store::Migration>& migrations() {
  static const std::vector<store::Migration> list = {{.version = 1, .name = "reviews and stops", .sql = R"(
    CREATE TABLE review (
      id TEXT PRIMARY KEY, tenant TEXT NOT NULL, author TEXT NOT NULL, data_subject TEXT NOT NULL, kind TEXT NOT NULL, resource TEXT NOT NULL,
      question TEXT NOT NULL, proposed TEXT NOT NULL, text TEXT NOT NULL, sha256 TEXT NOT NULL, editor TEXT NOT NULL DEFAULT '', language TEXT NOT NULL,
      rule TEXT NOT NULL, reason TEXT NOT NULL, evidence TEXT NOT NULL, approvals_needed INTEGER NOT NULL, state INTEGER NOT NULL,
      created_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, escalated_ms INTEGER NOT NULL DEFAULT 0,
      decided_ms INTEGER NOT NULL DEFAULT 0, valid_until_ms INTEGER NOT NULL DEFAULT 0, redeemed_ms INTEGER NOT NULL DEFAULT 0,
      audit_index INTEGER NOT NULL, planted INTEGER NOT NULL DEFAULT 0, expected INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE INDEX review_waiting ON review(tenant, state, due_ms);
    CREATE INDEX review_record ON review(tenant, audit_index);
    CREATE TABLE review_vote (
      review TEXT NOT NULL REFERENCES review(id) ON DELETE CASCADE, n INTEGER NOT NULL, reviewer TEXT NOT NULL, decision INTEGER NOT NULL,
      sha256 TEXT NOT NULL, reason TEXT NOT NULL, time_ms INTEGER NOT NULL, first INTEGER NOT NULL, PRIMARY KEY (review, n)) STRICT;
    CREATE INDEX review_vote_reviewer ON review_vote(reviewer);
    CREATE TABLE stop (
      id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, name TEXT NOT NULL, tenant TEXT NOT NULL, reason TEXT NOT NULL, stopped_by TEXT NOT NULL,
      stopped_ms INTEGER NOT NULL, resume_asked_by TEXT NOT NULL DEFAULT '', resume_asked_ms INTEGER NOT NULL DEFAULT 0,
      resumed_by TEXT NOT NULL DEFAULT '', resumed_ms INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE INDEX stop_active ON stop(resumed_ms) WHERE resumed_ms = 0;)"}};
  return list;
}

}  // namespace heng::review
