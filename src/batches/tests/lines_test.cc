#include "lines.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

namespace heng::batches {
namespace {

class Cut final : public PieceSource {
 public:
  Cut(std::string bytes, std::size_t size) : bytes_(std::move(bytes)), size_(size) {}
  Result<std::string> piece(std::int64_t number) override {
    const auto at = static_cast<std::size_t>(number) * size_;
    return at < bytes_.size() ? bytes_.substr(at, size_) : std::string();
  }

 private:
  std::string bytes_;
  std::size_t size_;
};

std::vector<InputLine> lines_of(const std::string& bytes, std::size_t piece, std::size_t longest = 100) {
  Cut source(bytes, piece);
  LineReader reader(source, longest);
  std::vector<InputLine> out;
  InputLine line;
  while (reader.next(line).value()) out.push_back(line);
  return out;
}

TEST(Lines, AreTheSameHoweverTheFileIsCut) {
  const std::string bytes = "first\r\n\n  \nfourth\nfifth \xe8\x8c\x85\xe5\x8f\xb0";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const auto lines = lines_of(bytes, piece);
    ASSERT_EQ(lines.size(), 3u) << piece;
    EXPECT_EQ(lines[0].text, "first");
    EXPECT_EQ(lines[1].number, 4);
    EXPECT_EQ(lines[2].text, "fifth \xe8\x8c\x85\xe5\x8f\xb0");
  }
}

TEST(Lines, ALongOneIsMarkedAndHeldNowhere) {
  const auto lines = lines_of("short\n" + std::string(1000, 'x') + "\nafter\n", 64);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_TRUE(lines[1].too_long);
  EXPECT_TRUE(lines[1].text.empty());
  EXPECT_EQ(lines[2].text, "after");
  EXPECT_FALSE(lines[2].too_long);
  EXPECT_EQ(parse_line(lines[1], "/v1/label", 100).error->code, ErrorCode::too_large);
}

BatchLine parsed(const std::string& text) { return parse_line({3, text, false}, "/v1/label", 1000); }

TEST(Lines, OfARequest) {
  const auto line = parsed(R"({"custom_id":"甲","method":"POST","url":"/v1/label","body":{"task":"tone","texts":["涨"]}})");
  ASSERT_FALSE(line.error);
  EXPECT_EQ(line.custom_id, "甲");
  EXPECT_EQ(line.body, R"({"task":"tone","texts":["涨"]})");
}

TEST(Lines, EachFaultIsNamed) {
  const struct {
    const char *text, *param, *says;
  } cases[] = {
      {"{", "", "not JSON"},
      {"{\"n\":1e400}", "", "too large"},
      {"[1]", "", "not a JSON object"},
      {"{\"a\":\"\xff\"}", "", "not UTF-8 (byte 6"},
      {R"({"method":"POST","url":"/v1/label","body":{}})", "custom_id", "custom_id"},
      {R"({"custom_id":7,"method":"POST","url":"/v1/label","body":{}})", "custom_id", "custom_id"},
      {R"({"custom_id":"a","method":"GET","url":"/v1/label","body":{}})", "method", "POST"},
      {R"({"custom_id":"a","method":"POST","url":"/v1/audit","body":{}})", "url", "/v1/label"},
      {R"({"custom_id":"a","method":"POST","url":"/v1/label"})", "body", "object"},
      {R"({"custom_id":"a","method":"POST","url":"/v1/label","body":[]})", "body", "object"},
      {R"({"custom_id":"a","method":"POST","url":"/v1/label","body":{"stream":true}})", "body.stream", "stream"},
      {R"({"custom_id":"a","method":"POST","url":"/v1/label","body":{"task":"a","task":"b"}})", "", "twice"},
  };
  for (const auto& c : cases) {
    const auto line = parsed(c.text);
    ASSERT_TRUE(line.error) << c.text;
    EXPECT_EQ(line.error->param, c.param) << c.text;
    EXPECT_NE(line.error->message.find(c.says), std::string::npos) << line.error->message;
  }
  EXPECT_EQ(parsed(R"({"custom_id":"a","method":"GET"})").custom_id, "a") << "a bad line keeps the id it has";
  EXPECT_TRUE(parsed(std::string(65, '[') + std::string(65, ']')).error);
}

TEST(Lines, WrittenOnesAreJson) {
  const auto answered = nlohmann::json::parse(answered_line("r1", "a\"\n", 200, "q", R"({"x":1})"));
  EXPECT_EQ(answered["custom_id"], "a\"\n");
  EXPECT_EQ(answered["response"]["body"]["x"], 1);
  EXPECT_TRUE(answered["error"].is_null());
  const auto failed = nlohmann::json::parse(failed_line("r2", "", "malformed_input", "not JSON", "", 7));
  EXPECT_TRUE(failed["custom_id"].is_null());
  EXPECT_EQ(failed["error"]["line"], 7);
}

TEST(Lines, KindsOfFiles) {
  EXPECT_TRUE(check_kind("a.jsonl", "\xef\xbb\xbf{}").ok());
  EXPECT_TRUE(check_kind("upload", "{}").ok());
  EXPECT_NE(check_kind("a.csv", "{}").error().message.find(".jsonl"), std::string::npos);
  EXPECT_NE(check_kind("a.jsonl", "PK\x03\x04xx").error().message.find("ZIP"), std::string::npos);
  EXPECT_NE(check_kind("a.jsonl", "%PDF-1.7").error().message.find("PDF"), std::string::npos);
  EXPECT_NE(check_kind("a.jsonl", "[{}]").error().message.find("array"), std::string::npos);
  EXPECT_EQ(check_kind("a.jsonl", " \n\n").error().code, ErrorCode::malformed_input);
  EXPECT_FALSE(check_kind("a.jsonl", std::string_view("{\0}", 3)).ok());
}

}  // namespace
}  // namespace heng::batches
