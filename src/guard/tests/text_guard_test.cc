#include "heng/guard/text_guard.h"

#include <gtest/gtest.h>

namespace heng::guard {
namespace {

std::unique_ptr<TextGuard> make(TextGuardSettings settings = {}) {
  auto made = TextGuard::create(std::move(settings));
  EXPECT_TRUE(made.ok());
  return std::move(*made);
}

GuardAction in(const TextGuard& guard, const std::string& text) { return guard.check_input({}, text)->action; }
GuardAction out(const TextGuard& guard, const std::string& text) { return guard.check_output({}, text)->action; }

TEST(TextGuard, OrdinaryTextPasses) {
  const auto guard = make();
  for (const char* text : {"", "年费是多少？", "What does it cost?\n\tline", "naïve café €5", "emoji 😀", "The task-force ask-for sk-ip word"}) {
    EXPECT_EQ(in(*guard, text), GuardAction::release) << text;
    EXPECT_EQ(out(*guard, text), GuardAction::release) << text;
  }
}

TEST(TextGuard, InputLimitsAndEncoding) {
  const auto guard = make({.longest_input_bytes = 100});
  EXPECT_EQ(in(*guard, std::string(100, 'a')), GuardAction::release);
  EXPECT_EQ(in(*guard, std::string(101, 'a')), GuardAction::withhold);
  EXPECT_EQ(in(*guard, "bad \xff"), GuardAction::withhold);
  EXPECT_EQ(in(*guard, std::string("nul \0 byte", 10)), GuardAction::withhold);
  EXPECT_EQ(in(*guard, "bell \a"), GuardAction::withhold);
  EXPECT_EQ(in(*guard, "tag \xF3\xA0\x81\x81"), GuardAction::withhold) << "Unicode tag characters hide text";
  EXPECT_EQ(in(*guard, "bidi \xE2\x80\xAE"), GuardAction::withhold);
  const auto verdict = guard->check_input({}, "年费\a");
  ASSERT_EQ(verdict->findings.size(), 1u);
  EXPECT_EQ(verdict->findings[0].begin, 2u) << "in code points";
  EXPECT_NE(verdict->reason.find("U+0007"), std::string::npos);
}

TEST(TextGuard, SecretsDoNotLeave) {
  const auto guard = make({.canaries = {"heron-7f3a-lantern"}});
  EXPECT_EQ(out(*guard, "The key is heng_4k2j9x8w7v6u5t4s3r2q."), GuardAction::withhold);
  EXPECT_EQ(out(*guard, "AKIAIOSFODNN7EXAMPLE"), GuardAction::withhold);
  EXPECT_EQ(out(*guard, "-----BEGIN PRIVATE KEY-----\nMC4"), GuardAction::withhold);
  EXPECT_EQ(out(*guard, "my prompt says heron-7f3a-lantern"), GuardAction::withhold);
  EXPECT_EQ(out(*guard, "H E R O N 7 f 3 a - L a n t e r n"), GuardAction::withhold) << "spaced and in capitals";
  EXPECT_EQ(out(*guard, "ｈｅｒｏｎ７ｆ３ａlantern"), GuardAction::withhold) << "full width";
  EXPECT_EQ(out(*guard, "a heron by a lantern"), GuardAction::release);
  EXPECT_EQ(out(*guard, "heng_toml is a file; heng_audit_check is a program"), GuardAction::release);
  EXPECT_EQ(out(*guard, "bad \xff"), GuardAction::withhold);
}

TEST(TextGuard, RefusesUselessSettings) {
  EXPECT_FALSE(TextGuard::create({.longest_input_bytes = 0}).ok());
  EXPECT_FALSE(TextGuard::create({.canaries = {"short"}}).ok());
}

}  // namespace
}  // namespace heng::guard
