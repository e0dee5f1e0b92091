#include <cmath>
#include <numeric>

#include "test_models.h"

namespace heng::infer {
namespace {

double cosine(const std::vector<float>& a, const std::vector<float>& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

LlamaEngine& embedder(const char* file) {
  static std::map<std::string, std::unique_ptr<LlamaEngine>> engines;
  auto& engine = engines[file];
  if (!engine) {
    LlamaSettings settings;
    settings.path = model_path(file);
    auto created = LlamaEngine::create(settings);
    EXPECT_TRUE(created.ok()) << (created.ok() ? "" : created.error().message);
    engine = std::move(created).value();
  }
  return *engine;
}

EmbedResult embed(const char* file, std::vector<std::string> texts, EmbedKind kind = EmbedKind::passage) {
  EmbedRequest request;
  request.texts = std::move(texts);
  request.kind = kind;
  auto result = embedder(file).embed(request, {});
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
  return std::move(result).value();
}

TEST(Embed, E5PutsQuestionNearItsPassageInBothLanguages) {
  HENG_NEED_MODEL(small_e5);
  const auto passages = embed(small_e5, {"The early repayment fee of the mortgage is one percent.", "Our branches open at nine o'clock.", "信用卡的年费为每年三百元。"});
  ASSERT_EQ(passages.vectors[0].size(), 384u);
  const auto queries = embed(small_e5, {"What does it cost to repay the loan early?", "信用卡一年收多少钱？"}, EmbedKind::query);
  for (const auto& vector : passages.vectors) EXPECT_NEAR(cosine(vector, vector), 1, 1e-5);
  EXPECT_GT(cosine(queries.vectors[0], passages.vectors[0]), cosine(queries.vectors[0], passages.vectors[1]));
  EXPECT_GT(cosine(queries.vectors[1], passages.vectors[2]), cosine(queries.vectors[1], passages.vectors[0]));
}

TEST(Embed, PrefixDependsOnTheKind) {
  HENG_NEED_MODEL(small_e5);
  const auto passage = embed(small_e5, {"interest"});
  const auto query = embed(small_e5, {"interest"}, EmbedKind::query);
  EXPECT_LT(cosine(passage.vectors[0], query.vectors[0]), 0.9999);
}

TEST(Embed, BatchingDoesNotChangeVectors) {
  HENG_NEED_MODEL(small_e5);
  std::vector<std::string> texts;
  for (int i = 0; i < 40; ++i) texts.push_back(words(1 + i * 3, i));
  const auto together = embed(small_e5, texts);
  for (std::size_t i : {std::size_t{0}, std::size_t{17}, std::size_t{39}}) {
    const auto alone = embed(small_e5, {texts[i]});
    EXPECT_GT(cosine(alone.vectors[0], together.vectors[i]), 0.9995) << i;
  }
}

TEST(Embed, BgeChinese) {
  HENG_NEED_MODEL(small_bge);
  const auto passages = embed(small_bge, {"用人单位应当按月支付劳动报酬。", "驾驶机动车应当系安全带。"});
  ASSERT_EQ(passages.vectors[0].size(), 512u);
  const auto query = embed(small_bge, {"老板拖欠工资怎么办"}, EmbedKind::query);
  EXPECT_GT(cosine(query.vectors[0], passages.vectors[0]), cosine(query.vectors[0], passages.vectors[1]));
}

TEST(Embed, LongTextsAreCutAndBadOnesRefused) {
  HENG_NEED_MODEL(small_e5);
  const auto result = embed(small_e5, {words(3000), std::string(1 << 20, 'x'), ""});
  EXPECT_LE(result.tokens, 512 * 2 + 8);
  EXPECT_NEAR(cosine(result.vectors[2], result.vectors[2]), 1, 1e-5);
  EmbedRequest request;
  request.texts = {"fine", "\xff"};
  EXPECT_EQ(embedder(small_e5).embed(request, {}).error().code, ErrorCode::malformed_input);
  request.texts = {"fine"};
  request.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(embedder(small_e5).embed(request, {}).error().code, ErrorCode::deadline_exceeded);
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(embedder(small_e5).embed(request, stop.get_token()).error().code, ErrorCode::cancelled);
  ChatRequest chat = ask("x");
  EXPECT_EQ(embedder(small_e5).chat(chat, nullptr, {}).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace heng::infer
