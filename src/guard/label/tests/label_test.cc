#include <gtest/gtest.h>

#include "heng/guard_label/label.h"

namespace heng::guard_label {
namespace {

std::string without(std::string text, std::string_view part) {
  for (std::size_t at; (at = text.find(part)) != std::string::npos;) text.erase(at, part.size());
  return text;
}

TEST(Label, IsSeenOnce) {
  const auto text = with_visible_label("答案。", true);
  EXPECT_TRUE(has_visible_label(text));
  EXPECT_EQ(with_visible_label(text, true), text);
  EXPECT_FALSE(has_visible_label("答案。"));
  EXPECT_NE(metadata_label({"bank", "42"}).find("\"Label\":\"1\""), std::string::npos);
}

// Strip each part of each form of export: the check must notice.
TEST(Label, TheCheckNoticesWhatWasStripped) {
  const AiLabel label{"Harbour Bank", "01J9"};
  const std::string visible(visible_label(true));
  const std::string json = "{\"answer\":\"300元。\",\"ai_label\":{\"text\":\"" + visible + "\",\"AIGC\":" + metadata_value(label) + "}}";
  std::string escaped = metadata_value(label);
  for (std::size_t at = 0; (at = escaped.find('"', at)) != std::string::npos; at += 6) escaped.replace(at, 1, "&quot;");
  const std::string page = "<meta name=\"AIGC\" content=\"" + escaped + "\"><p>" + visible + "</p>";
  for (const std::string& whole : {json, page, with_visible_label("text", true) + "\n" + metadata_label(label)}) {
    const auto check = check_labels(whole);
    EXPECT_TRUE(check.complete()) << whole;
    EXPECT_EQ(check.provider, "Harbour Bank");
    EXPECT_EQ(check.content_id, "01J9");
    EXPECT_FALSE(check_labels(without(whole, visible)).complete()) << whole;
    for (const char* part : {"AIGC", "Harbour Bank", "01J9", "ProduceID", "Label"}) EXPECT_FALSE(check_labels(without(whole, part)).complete()) << part << ": " << whole;
  }
  for (const char* broken : {"", "{", "AIGC", "AIGC {", "{\"AIGC\":{\"Label\":1}}", "\xff\xfe AIGC{"}) EXPECT_FALSE(check_labels(broken).metadata) << broken;
}

}  // namespace
}  // namespace heng::guard_label
