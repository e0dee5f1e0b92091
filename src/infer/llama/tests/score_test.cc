#include <cmath>

#include "test_models.h"

namespace heng::infer {
namespace {

class Score : public testing::Test {
 protected:
  void SetUp() override { HENG_NEED_MODEL(small_chat); }
  static double chain(const std::string& prefix, const std::string& item, const std::string& candidate) {  // by replay: another path to the same number
    ReplayRequest replay;
    replay.prompt_tokens = *shared_engine().tokenize("", prefix);
    const auto behind = shared_engine().tokenize("", item);
    EXPECT_TRUE(behind.ok());
    replay.prompt_tokens.insert(replay.prompt_tokens.end(), behind->begin(), behind->end());
    replay.output_tokens = *shared_engine().tokenize("", candidate);
    const auto result = shared_engine().replay(replay, {});
    EXPECT_TRUE(result.ok());
    double sum = 0;
    for (double logprob : result->logprobs) sum += logprob;
    return sum;
  }
};

TEST_F(Score, EqualsReplayForSingleAndSeveralTokenCandidates) {
  ScoreRequest request;
  request.tenant = TenantId("bank");
  request.prefix = "Decide how the review sounds.\n";
  request.items = {"Review: I love this bank.\nSound:", "Review: Terrible fees.\nSound:", "Review: It is a bank.\nSound:"};
  request.candidates = {" positive", " negative", " not clear at all", " not clear", " 中性的看法"};
  const auto result = shared_engine().score(request, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_EQ(result->logprobs.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t c = 0; c < request.candidates.size(); ++c)
      EXPECT_NEAR(result->logprobs[i][c], chain(request.prefix, request.items[i], request.candidates[c]), 0.4) << i << "," << c;
  EXPECT_GT(result->logprobs[0][0], result->logprobs[0][1]);
  EXPECT_GT(result->logprobs[1][1], result->logprobs[1][0]);
}

TEST_F(Score, ManyItemsShareOnePrefixAndKeepTheirOrder) {
  ScoreRequest request;
  request.tenant = TenantId("bank");
  request.prefix = words(120, 9);
  request.candidates = {" yes", " no"};
  for (int i = 0; i < 70; ++i) request.items.push_back("Number " + std::to_string(i % 7) + " is even:");
  const auto result = shared_engine().score(request, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_EQ(result->logprobs.size(), 70u);
  for (std::size_t i = 7; i < 70; ++i) EXPECT_NEAR(result->logprobs[i][0], result->logprobs[i % 7][0], 0.3) << i;
  EXPECT_LT(result->decoded_tokens, 120 + 70 * 12 + 60);
}

TEST_F(Score, ClosedFieldsSumToOneAndAgreeWithOpenScoring) {
  ScoreRequest open;
  open.tenant = TenantId("bank");
  open.prefix = "Review and its tone as JSON.\n";
  open.items = {"I love this bank. =>", "Terrible fees. =>", "I love this bank. =>", "I love this bench. =>"};
  open.candidates = {" {\"tone\":\"good", " {\"tone\":\"bad", " {\"tone\":\"neither"};
  ScoreRequest closed = open;
  closed.candidates.clear();
  closed.fields = {{" {\"tone\":\"", {"good", "bad", "neither"}}, {" {\"about\":\"", {"fees", "staff"}}};
  const auto a = shared_engine().score(open, {});
  const auto b = shared_engine().score(closed, {});
  ASSERT_TRUE(a.ok() && b.ok()) << (b.ok() ? "" : b.error().message);
  ASSERT_EQ(b->logprobs.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& row = b->logprobs[i];
    ASSERT_EQ(row.size(), 5u);
    EXPECT_NEAR(std::exp(row[0]) + std::exp(row[1]) + std::exp(row[2]), 1, 1e-6);
    EXPECT_NEAR(std::exp(row[3]) + std::exp(row[4]), 1, 1e-6);
    // single-token labels: the difference of two is the same whether all of the vocabulary competes or not
    EXPECT_NEAR(row[0] - row[1], a->logprobs[i][0] - a->logprobs[i][1], 0.3) << i;
  }
  EXPECT_EQ(b->logprobs[0], b->logprobs[2]);  // equal items are computed once
  closed.fields[1].candidates = {"fees", "fees and staff"};
  EXPECT_EQ(shared_engine().score(closed, {}).error().code, ErrorCode::invalid_argument);
  closed.candidates = {" yes"};
  EXPECT_EQ(shared_engine().score(closed, {}).error().code, ErrorCode::invalid_argument);
}

TEST_F(Score, EmptyItemsAndBadInput) {
  ScoreRequest request;
  request.prefix = "The capital of France is";
  request.items = {"", " not"};
  request.candidates = {" Paris", " Rome"};
  const auto result = shared_engine().score(request, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_GT(result->logprobs[0][0], result->logprobs[0][1]);
  request.candidates = {};
  EXPECT_EQ(shared_engine().score(request, {}).error().code, ErrorCode::invalid_argument);
  request.candidates = {""};
  EXPECT_EQ(shared_engine().score(request, {}).error().code, ErrorCode::invalid_argument);
  request.candidates = {" a"};
  request.items = {words(5000)};
  EXPECT_EQ(shared_engine().score(request, {}).error().code, ErrorCode::too_large);
  request.items = {};
  EXPECT_TRUE(shared_engine().score(request, {}).ok());
  std::stop_source stop;
  stop.request_stop();
  request.items = {" b"};
  EXPECT_EQ(shared_engine().score(request, stop.get_token()).error().code, ErrorCode::cancelled);
}

}  // namespace
}  // namespace heng::infer
