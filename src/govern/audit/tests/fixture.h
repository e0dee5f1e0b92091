#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "heng/audit/ledger.h"
#include "heng/audit/reader.h"

namespace heng::audit {

inline std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out << bytes;
}

/// A folder with a keyring and a ledger that go away with the test.
struct Fixture {
  std::filesystem::path folder;
  store::SecretKey master = store::SecretKey::random();
  std::unique_ptr<store::Keyring> keyring;
  LedgerSettings settings;

  Fixture() {
    // in memory where there is such a folder: a killed process leaves the same there, and fsync costs nothing
    std::string pattern = "/dev/shm/heng-audit-XXXXXX";
    if (mkdtemp(pattern.data()) == nullptr) {
      pattern = (std::filesystem::temp_directory_path() / "heng-audit-XXXXXX").string();
      if (mkdtemp(pattern.data()) == nullptr) std::abort();
    }
    folder = pattern;
    keyring = std::move(*store::Keyring::open(folder / "keyring", master));
    settings.folder = folder / "ledger";
  }
  ~Fixture() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
  std::unique_ptr<Ledger> ledger(Syscalls& calls = posix()) {
    auto made = Ledger::create(settings, *keyring, calls);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.ok() ? std::move(*made) : nullptr;
  }
  std::unique_ptr<LedgerReader> reader() {
    auto made = LedgerReader::open(settings, *keyring);
    EXPECT_TRUE(made.ok()) << made.error().message;
    return made.ok() ? std::move(*made) : nullptr;
  }
  void expect_whole(std::uint64_t size) {
    auto report = reader()->verify();
    ASSERT_TRUE(report.ok()) << report.error().message;
    EXPECT_EQ(report->size, size);
    for (const auto& problem : report->problems) ADD_FAILURE() << problem.message;
  }
};

inline AuditOpen opening(const std::string& subject, const std::string& tenant = "bank") {
  AuditOpen o;
  o.request = RequestId("request-" + subject);
  o.time_ms = 1'760'000'000'000;
  o.principal = {.tenant = TenantId(tenant), .user = UserId("li"), .key = KeyId("k1"), .roles = {"analyst"}, .purpose = "research"};
  o.action = "ask";
  o.subject = subject;
  o.resource = "kb";
  return o;
}

inline AuditClose closing(const std::string& output) {
  AuditClose c;
  c.time_ms = 1'760'000'000'500;
  c.outcome = "ok";
  c.model = "m";
  c.model_sha256 = "abc";
  c.prompt_tokens = {1, 2, 3};
  c.output_tokens = {{.token = 7, .text = "a", .logprob = -0.25}, {.token = 8, .text = "\xe8", .logprob = -1.5, .forced = true}};
  c.output = output;
  return c;
}

#define ASSERT_OK(expression)                                     \
  do {                                                            \
    const auto& heng_result = (expression);                       \
    ASSERT_TRUE(heng_result.ok()) << heng_result.error().message; \
  } while (false)

}  // namespace heng::audit
