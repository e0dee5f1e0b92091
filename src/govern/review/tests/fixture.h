#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "heng/base/set_clock.h"
#include "heng/contracts/audit.h"
#include "heng/review/migrations.h"
#include "heng/store/pool.h"

namespace heng::review {

/// Keeps what was noted; can be full.
class NotingAudit final : public Audit {
 public:
  Result<AuditTicket> open(const AuditOpen&) override { return Error(ErrorCode::internal, "not used"); }
  Result<AuditTicket> close(const AuditTicket&, const AuditClose&) override { return Error(ErrorCode::internal, "not used"); }
  Result<AuditTicket> note(const AuditOpen& open, const AuditClose& close) override {
    const std::lock_guard lock(mutex);
    if (full) return Error(ErrorCode::storage_full, "no space left");
    notes.push_back(open.action + " " + open.resource + " " + close.outcome);
    opens.push_back(open);
    return AuditTicket{static_cast<std::int64_t>(notes.size()) - 1, open.request, open.principal.tenant};
  }
  std::int64_t size() const override { return static_cast<std::int64_t>(notes.size()); }
  int count(const std::string& action) const {
    int n = 0;
    for (const auto& open : opens) n += open.action == action;
    return n;
  }
  std::mutex mutex;
  bool full = false;
  std::vector<std::string> notes;
  std::vector<AuditOpen> opens;
};

inline Principal person(const std::string& user, std::vector<std::string> roles = {}, const std::string& tenant = "bank") {
  Principal who;
  who.tenant = TenantId(tenant);
  who.user = UserId(user);
  who.roles = std::move(roles);
  return who;
}

class GovernTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "heng-review-XXXXXX").string();
    folder = mkdtemp(pattern.data());
    pool = open_pool();
  }
  void TearDown() override {
    pool.reset();
    std::filesystem::remove_all(folder);
  }
  std::unique_ptr<store::Pool> open_pool() {
    auto made = store::Pool::open({.database = {.path = folder / "govern.db", .key = key}}, migrations());
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(*made);
  }
  std::filesystem::path folder;
  store::SecretKey key = store::SecretKey::random();
  std::unique_ptr<store::Pool> pool;
  SetClock clock;
  NotingAudit audit;
};

}  // namespace heng::review
