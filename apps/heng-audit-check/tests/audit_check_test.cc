#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "heng/audit/ledger.h"

namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const fs::path& path, const std::string& bytes) {
  std::ofstream out(path, std::ios::binary);
  out << bytes;
}

struct Answer {
  int code = -1;
  std::string text;
};
Answer run(const std::string& arguments) {
  Answer answer;
  std::FILE* pipe = popen((std::string(HENG_AUDIT_CHECK) + " " + arguments + " 2>&1").c_str(), "r");
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) answer.text += buffer;
  const int status = pclose(pipe);
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return answer;
}

constexpr std::size_t stride = 96;  // an entry with its length

/// A ledger of 300 records, with the checkpoint of its first 100 kept.
class AuditCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "heng-check-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    keyring_ = std::move(*heng::store::Keyring::open(folder_ / "keyring", heng::store::SecretKey::random()));
    auto ledger = heng::audit::Ledger::create({.folder = ledger_()}, *keyring_);
    ASSERT_TRUE(ledger.ok()) << ledger.error().message;
    key_ = (*ledger)->verifier_key();
    append(**ledger, 100);
    fs::copy_file(ledger_() / "checkpoint", folder_ / "old");
    fs::copy(ledger_(), folder_ / "ledger100", fs::copy_options::recursive);
    append(**ledger, 200);
  }
  void TearDown() override { fs::remove_all(folder_); }

  static void append(heng::audit::Ledger& ledger, int count) {
    heng::AuditOpen open;
    open.action = "ask";
    open.principal.tenant = heng::TenantId("bank");
    for (int i = 0; i < count - 1; ++i) {
      open.subject = std::to_string(i);
      ledger.note_async(open, {}, [](auto) {});
    }
    ASSERT_TRUE(ledger.note(open, {}).ok());
  }
  fs::path ledger_() const { return folder_ / "ledger"; }
  Answer check(const std::string& more = "") const { return run(ledger_().string() + " --vkey " + key_ + " " + more); }
  void change(const std::string& file, const std::function<void(std::string&)>& how) const {
    std::string bytes = read_file(ledger_() / file);
    ASSERT_FALSE(bytes.empty()) << file;
    how(bytes);
    write_file(ledger_() / file, bytes);
  }
  void expect_found(const std::string& kind, const std::string& record, const std::string& more = "") const {
    const Answer answer = check(more);
    EXPECT_EQ(answer.code, 1) << answer.text;
    EXPECT_NE(answer.text.find("FOUND " + kind), std::string::npos) << answer.text;
    EXPECT_NE(answer.text.find(record), std::string::npos) << answer.text;
    EXPECT_NE(answer.text.find("NOT INTACT"), std::string::npos);
  }

  fs::path folder_;
  std::unique_ptr<heng::store::Keyring> keyring_;
  std::string key_;
};

TEST_F(AuditCheck, AnIntactLedgerPasses) {
  Answer answer = check();
  EXPECT_EQ(answer.code, 0) << answer.text;
  EXPECT_NE(answer.text.find("records   300"), std::string::npos) << answer.text;
  EXPECT_EQ(check("--checkpoint " + (folder_ / "old").string() + " --witnessed-size 300").code, 0);
  answer = run(ledger_().string());
  EXPECT_EQ(answer.code, 0);
  EXPECT_NE(answer.text.find("pass --vkey"), std::string::npos);
  // what a torn group leaves beyond the checkpoint is not tampering
  write_file(ledger_() / "tile/0/001.p/77", "torn");
  change("content/001", [](std::string& b) { b += "torn"; });
  EXPECT_EQ(check().code, 0);
}

TEST_F(AuditCheck, AFlippedRecordIsNamed) {
  change("tile/entries/000", [](std::string& b) { b[stride * 41 + 60] = static_cast<char>(b[stride * 41 + 60] ^ 1); });
  expect_found("changed", "record 41:");
}

TEST_F(AuditCheck, AnOlderPartialFileMustBeTheBeginningOfTheLater) {
  {
    auto ledger = heng::audit::Ledger::create({.folder = ledger_()}, *keyring_);
    ASSERT_TRUE(ledger.ok());
    append(**ledger, 20);
  }
  int changed = 0;
  for (const char* folder : {"tile/0/001.p", "tile/entries/001.p"}) {
    for (const auto& file : fs::directory_iterator(ledger_() / folder)) {
      if (file.path().filename() == "64") continue;  // the signed one
      const std::string good = read_file(file.path());
      std::string bad = good;
      bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 1);
      write_file(file.path(), bad);
      expect_found("tile", file.path().filename().string());
      write_file(file.path(), good.substr(0, good.size() - 1));
      expect_found("tile", file.path().filename().string());
      write_file(file.path(), good);
      ++changed;
    }
  }
  EXPECT_GT(changed, 0);
  EXPECT_EQ(check().code, 0);
}

TEST_F(AuditCheck, EveryBitOfAnEntryCounts) {
  const std::string good = read_file(ledger_() / "tile/entries/001.p/44");
  for (std::size_t at = stride * 3; at < stride * 4; at += 7) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    write_file(ledger_() / "tile/entries/001.p/44", bad);
    EXPECT_EQ(check().code, 1) << at;
  }
}

TEST_F(AuditCheck, FlippedContentsAreNamed) {
  change("content/001", [](std::string& b) { b[3] = static_cast<char>(b[3] ^ 1); });
  expect_found("contents", "record 256:");
}

TEST_F(AuditCheck, ADroppedRecordIsNamed) {
  change("tile/entries/000", [](std::string& b) { b.erase(stride * 17, stride); });
  expect_found("dropped", "record 17");
}

TEST_F(AuditCheck, AnInsertedRecordIsNamed) {
  change("tile/entries/000", [](std::string& b) {
    std::string extra = b.substr(stride * 5, stride);
    extra[40] = static_cast<char>(extra[40] ^ 1);
    b.insert(stride * 9, extra);
  });
  expect_found("inserted", "record 9");
}

TEST_F(AuditCheck, ReplacedByAnotherInTheMiddleShowsBoth) {
  change("tile/entries/000", [](std::string& b) {
    std::string extra = b.substr(stride * 5, stride);
    extra[40] = static_cast<char>(extra[40] ^ 1);
    b.erase(stride * 100, stride);
    b.insert(stride * 20, extra);
  });
  expect_found("dropped", "record 100");
  expect_found("inserted", "record 20");
}

TEST_F(AuditCheck, ReorderedRecordsAreNamed) {
  change("tile/entries/000", [](std::string& b) { std::swap_ranges(b.begin() + 2 * stride, b.begin() + 3 * stride, b.begin() + 7 * stride); });
  expect_found("reordered", "record 2");
  expect_found("reordered", "record 7");
}

TEST_F(AuditCheck, LeavesRewrittenToFitAreFoundByTheSignature) {
  change("tile/entries/000", [](std::string& b) { std::swap_ranges(b.begin(), b.begin() + stride, b.begin() + stride); });
  change("tile/0/000", [](std::string& b) { std::swap_ranges(b.begin(), b.begin() + 32, b.begin() + 32); });
  expect_found("changed", "was signed");
}

TEST_F(AuditCheck, TruncationIsFoundAgainstWhatWasSeen) {
  const std::string newest = (folder_ / "newest").string();
  fs::copy_file(ledger_() / "checkpoint", newest);
  fs::remove_all(ledger_());
  fs::copy(folder_ / "ledger100", ledger_(), fs::copy_options::recursive);
  EXPECT_EQ(check().code, 0) << "put back as a whole it looks intact by itself";
  expect_found("truncated", "record 100", "--checkpoint " + newest);
  expect_found("truncated", "record 100", "--witnessed-size 300");
}

TEST_F(AuditCheck, RewrittenHistoryIsFoundEvenWithTheKey) {
  const std::string newest = (folder_ / "newest").string();
  fs::copy_file(ledger_() / "checkpoint", newest);
  fs::remove_all(ledger_());
  fs::copy(folder_ / "ledger100", ledger_(), fs::copy_options::recursive);
  {
    auto ledger = heng::audit::Ledger::create({.folder = ledger_()}, *keyring_);
    append(**ledger, 250);
  }
  EXPECT_EQ(check().code, 0);
  EXPECT_EQ(check("--checkpoint " + (folder_ / "old").string()).code, 0);
  expect_found("history", "rewritten", "--checkpoint " + newest);
}

TEST_F(AuditCheck, MissingFilesAreFound) {
  for (const char* file : {"tile/entries/000", "tile/0/000", "tile/1/000.p/1", "content/000", "checkpoint"}) {
    fs::rename(ledger_() / file, folder_ / "aside");
    EXPECT_EQ(check().code, 1) << file;
    fs::rename(folder_ / "aside", ledger_() / file);
  }
  EXPECT_EQ(check().code, 0);
}

TEST_F(AuditCheck, AForgedSignatureIsFound) {
  change("checkpoint", [](std::string& b) { b[b.find("\n300\n") + 3] = '1'; });
  expect_found("signature", "signature does not fit");
}

TEST_F(AuditCheck, WrongUseHasItsOwnCodes) {
  EXPECT_EQ(run("").code, 2);
  EXPECT_EQ(run("--bad").code, 2);
  EXPECT_EQ(run("--help").code, 0);
  EXPECT_EQ(run((folder_ / "absent").string()).code, 3);
  EXPECT_EQ(run(folder_.string()).code, 3);
  EXPECT_EQ(run(ledger_().string() + " --vkey nonsense").code, 2);
  EXPECT_EQ(check("--witnessed-size many").code, 2);
  EXPECT_EQ(check("--checkpoint " + (folder_ / "absent").string()).code, 3);
  EXPECT_EQ(check("--checkpoint " + (folder_ / "keyring").string()).code, 3);
}

// A ledger written once and kept: today's checker must read it for ever.
TEST(AuditCheckGolden, TheKeptLedgerPasses) {
  const Answer answer = run(std::string(HENG_GOLDEN_DIR) + "/ledger");
  EXPECT_EQ(answer.code, 0) << answer.text;
  EXPECT_NE(answer.text.find("records   20 "), std::string::npos) << answer.text;
  EXPECT_NE(answer.text.find(read_file(std::string(HENG_GOLDEN_DIR) + "/root.txt").substr(0, 64)), std::string::npos) << answer.text;
}

}  // namespace
