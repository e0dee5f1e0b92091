#include "heng/explain/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "heng/base/hash.h"

namespace heng::explain {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

class OneRecord final : public AuditReader {
 public:
  Json record = {{"index", 5}, {"kind", "close"}, {"time", "2026-11-24T06:34:41.123Z"}, {"erased", false}, {"opened_index", 4}, {"closed_index", 5},
                 {"opened", {{"request", "REQ"}, {"action", "ask"}, {"subject", "年费 <script>alert(1)</script>？"}, {"resource", "fees"},
                             {"principal", {{"tenant", "bank"}, {"user", "li"}, {"key", "k1"}, {"roles", {"analyst"}}, {"purpose", ""}, {"desk", "cards"}}}}},
                 {"closed", {{"outcome", "ok"}, {"output", "300元。[1]"}, {"prompt_sha256", std::string(64, 'c')}, {"model", "qwen"}, {"model_sha256", std::string(64, 'a')},
                             {"lora_sha256", ""}, {"sampling", {{"temperature", 0.0}}}, {"output_tokens", {1, 2}},
                             {"passages", Json::array({{{"chunk", 1}, {"sha256", sha256_hex("年费300元")}, {"document", "费率.md"}, {"page", 1}, {"citation", 1}},
                                                       {{"chunk", 2}, {"sha256", sha256_hex("旧文")}, {"document", "b.md"}, {"page", 2}, {"citation", 0}},
                                                       {{"chunk", 3}, {"sha256", sha256_hex("x")}, {"document", "c.md"}, {"page", 3}, {"citation", 0}}})},
                             {"verdicts", Json::array({{{"rule", "grounding"}, {"version", "1"}, {"verdict", "release"}, {"detail", "support 0.90"}},
                                                       {{"rule", "figure"}, {"version", "1"}, {"verdict", "cited"}, {"detail", "300元 = 300 CNY [1]"}}})},
                             {"tools", Json::array({{{"name", "calculator"}, {"input", "1+1"}, {"output", "2"}}})}}}};
  bool proves = true;
  Result<std::vector<std::string>> tail(const Principal&, int, std::int64_t) override { return std::vector<std::string>{}; }
  Result<std::string> get(const Principal& who, std::int64_t index) override {
    if (who.tenant.value != "bank" || (index != 4 && index != 5)) return Error(ErrorCode::not_found, "no record");
    return record.dump();
  }
  Result<std::string> checkpoint() override { return Error(ErrorCode::unsupported, ""); }
  Result<std::string> proof(const Principal&, std::int64_t index) override {
    if (!proves) return Error(ErrorCode::corrupt, "the tile is damaged");
    return Json{{"index", index}, {"size", 6}, {"leaf", "aa"}, {"root", "bb"}, {"hashes", Json::array()}, {"checkpoint", "note"}}.dump();
  }
};

class Shelf final : public Knowledge {
 public:
  Result<Passage> passage(const Principal&, const KbName& kb, ChunkId id) override {
    if (kb.value != "fees" || id.value > 2) return none();
    Passage p;
    p.text = id.value == 1 ? "年费300元" : "新文";
    p.sha256 = sha256_hex("旧文");  // a stale stored hash must not be believed
    return p;
  }
  Result<std::vector<Passage>> search(const SearchQuery&, std::stop_token) override { return none(); }
  Result<std::vector<Passage>> neighbours(const Principal&, const KbName&, ChunkId, int, int) override { return none(); }
  Result<KbInfo> create(const Principal&, const KbName&, const std::string&) override { return none(); }
  Result<std::vector<KbInfo>> list(const Principal&) override { return none(); }
  Result<void> remove(const Principal&, const KbName&) override { return none(); }
  Result<IngestReport> ingest(const Principal&, const KbName&, const IngestItem&, const std::vector<std::string>&, std::stop_token) override { return none(); }
  Result<void> embed_pending(const KbName&, const std::function<void(int, int)>&, std::stop_token) override { return none(); }
  Result<std::vector<DocumentInfo>> documents(const Principal&, const KbName&) override { return none(); }
  Result<DocumentInfo> document(const Principal&, const KbName&, DocumentId) override { return none(); }
  Result<std::string> original(const Principal&, const KbName&, DocumentId) override { return none(); }
  Result<std::vector<Passage>> document_passages(const Principal&, const KbName&, DocumentId) override { return none(); }
  Result<void> remove_document(const Principal&, const KbName&, DocumentId) override { return none(); }

 private:
  static Error none() { return {ErrorCode::not_found, "not here"}; }
};

class Ratings final : public Feedback {
 public:
  Result<void> rate(const Principal&, const Rating&) override { return {}; }
  Result<std::vector<Rating>> ratings(const Principal&, std::int64_t index) override {
    if (index != 4) return std::vector<Rating>{};
    return std::vector<Rating>{{.audit_index = 4, .stars = -1, .comment = "太短", .time_ms = 1, .user = "wang"}};
  }
};

struct ExplainTest : testing::Test {
  OneRecord audit;
  Shelf knowledge;
  Ratings feedback;
  Principal who;
  ExplainTest() { who.tenant = TenantId("bank"); }
  std::string explained(std::int64_t index = 5) { return *explain({audit, &knowledge, nullptr, &feedback, "0.1.0"}, who, index); }
};

TEST_F(ExplainTest, GathersEverythingOnOnePage) {
  const Json page = Json::parse(explained());
  EXPECT_EQ(page["who"]["user"], "li");
  EXPECT_EQ(page["passages"][0]["now"], "same");
  EXPECT_EQ(page["passages"][0]["text"], "年费300元");
  EXPECT_EQ(page["passages"][1]["now"], "changed");
  EXPECT_FALSE(page["passages"][1].contains("text"));
  EXPECT_EQ(page["passages"][2]["now"], "gone");
  EXPECT_EQ(page["model"]["prompt_sha256"], std::string(64, 'c'));
  EXPECT_EQ(page["versions"]["rules"]["grounding"], "1");
  EXPECT_EQ(page["people"]["ratings"][0]["user"], "wang");
  EXPECT_EQ(page["proof"].size(), 2u);
  EXPECT_EQ(page["proof"][0]["status"], "included");
  EXPECT_TRUE(page["replayable"]);
  EXPECT_EQ(page["ai_content"]["AIGC"]["ProduceID"], "REQ");
  EXPECT_EQ(Json::parse(explained(4))["opened_index"], 4);
}

TEST_F(ExplainTest, TheHtmlIsInertAndLabelled) {
  for (const auto wording : {Wording::english, Wording::chinese}) {
    const std::string page = html(explained(), wording);
    EXPECT_THAT(page, Not(HasSubstr("<script")));
    EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
    EXPECT_THAT(page, HasSubstr("<meta name=\"AIGC\" content=\"{&quot;AIGC&quot;"));
    EXPECT_THAT(page, HasSubstr(wording == Wording::chinese ? "本内容由人工智能生成" : "This content was generated by AI"));
    EXPECT_THAT(page, Not(HasSubstr("http:")));
    EXPECT_THAT(page, HasSubstr(std::string(64, 'a')));
  }
}

TEST_F(ExplainTest, ThePlainTextNamesRulesToolsPeopleAndProof) {
  const std::string page = plain(explained(), Wording::english);
  for (const char* expected : {"support 0.90", "300元 = 300 CNY", "calculator: 2", "wang: bad", "heng audit replay 4", "CHANGED since"})
    EXPECT_THAT(page, HasSubstr(expected));
  EXPECT_THAT(page, HasSubstr("record 5: stands in the ledger of size 6"));
}

TEST_F(ExplainTest, AnotherTenantsRecordDoesNotExistAndABrokenProofIsSaid) {
  Principal other = who;
  other.tenant = TenantId("shop");
  EXPECT_EQ(explain({audit, &knowledge, nullptr, &feedback, "0.1.0"}, other, 5).error().code, ErrorCode::not_found);
  audit.proves = false;
  EXPECT_THAT(plain(explained(), Wording::english), HasSubstr("FAILED"));
}

TEST_F(ExplainTest, AnErasedOrUnclosedRecordIsExplainedAsSuch) {
  audit.record["erased"] = true;
  audit.record.erase("opened");
  audit.record.erase("closed");
  const std::string page = plain(explained(), Wording::english);
  EXPECT_THAT(page, HasSubstr("not closed"));
  EXPECT_THAT(page, HasSubstr("the contents were erased"));
  EXPECT_FALSE(html(explained(), Wording::chinese).empty());
}

}  // namespace
}  // namespace heng::explain
