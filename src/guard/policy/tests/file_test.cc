#include <gtest/gtest.h>

#include "heng/guard_policy/file.h"

namespace heng::guard_policy {
namespace {

const std::string header = "kind = \"tools\"\nid = \"t\"\nversion = \"1\"\nowner = \"ops\"\nclause = \"house rule\"\neffective_from = 2026-01-01\n";

std::string error_of(const std::string& text) {
  auto file = parse(text, "p.toml");
  return file.ok() ? "" : file.error().message;
}

TEST(PolicyFile, ReadsHeaderAndBody) {
  auto file = parse(header + "level = 3\nnames = [\"a\", \"b\"]\n[[rule]]\nid = \"r1\"\n", "p.toml");
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->header.kind, "tools");
  EXPECT_EQ(file->header.effective_from, "2026-01-01");
  EXPECT_EQ(file->header.sha256.size(), 64u);
  Reader reader = body(*file);
  EXPECT_EQ(*reader.whole_or("level", 0, 0, 9), 3);
  EXPECT_EQ(reader.texts_or_none("names")->size(), 2u);
  const auto rules = *reader.tables_or_none("rule");
  ASSERT_EQ(rules.size(), 1u);
  EXPECT_EQ(rules[0]->line, 9);
  EXPECT_TRUE(reader.finish().ok());
}

TEST(PolicyFile, SaysLineAndReason) {
  EXPECT_NE(error_of("kind = \n").find("p.toml, line 1"), std::string::npos);
  EXPECT_NE(error_of("kind = \"x\"\nid = 3\n").find("line 2"), std::string::npos);
  EXPECT_NE(error_of("kind = \"x\"\n").find("\"id\" is missing"), std::string::npos);
  EXPECT_NE(error_of(header + "effective_until = 2025-01-01\n").find("ends before it begins"), std::string::npos);
  auto file = parse(header + "levle = 3\n", "p.toml");
  ASSERT_TRUE(file.ok());
  const auto finished = body(*file).finish();
  ASSERT_FALSE(finished.ok());
  EXPECT_NE(finished.error().message.find("line 7: there is no setting \"levle\""), std::string::npos);
}

TEST(PolicyFile, KnowsItsDates) {
  Header h;
  h.effective_from = "2026-01-01";
  h.effective_until = "2026-12-31";
  EXPECT_FALSE(in_force(h, "2025-12-31"));
  EXPECT_TRUE(in_force(h, "2026-06-01"));
  EXPECT_FALSE(in_force(h, "2027-01-01"));
}

}  // namespace
}  // namespace heng::guard_policy
