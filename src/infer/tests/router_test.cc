#include "heng/infer/router.h"

#include <gtest/gtest.h>

#include "heng/infer/fake.h"

namespace heng::infer {
namespace {

std::shared_ptr<FakeInference> fake(const std::string& chat, const std::string& embedding) {
  FakeInference::Settings settings;
  settings.chat_model = chat;
  settings.embedding_model = embedding;
  settings.reply = [chat](const ChatRequest&) -> Result<Message> { return Message{"assistant", "from " + chat, {}, {}, {}, {}}; };
  return std::make_shared<FakeInference>(settings);
}

ChatRequest request(const std::string& model) {
  ChatRequest r;
  r.model = model;
  r.messages.push_back({"user", "hi", {}, {}, {}, {}});
  return r;
}

TEST(ModelRouter, RoutesByNameAndDefault) {
  ModelRouter router;
  ASSERT_TRUE(router.add(fake("small", "e1")).ok());
  ASSERT_TRUE(router.add(fake("large", "e2")).ok());
  EXPECT_EQ(router.chat(request(""), nullptr, {})->message.content, "from small");
  EXPECT_EQ(router.chat(request("large"), nullptr, {})->message.content, "from large");
  ASSERT_TRUE(router.set_default("large").ok());
  EXPECT_EQ(router.chat(request(""), nullptr, {})->message.content, "from large");
  EmbedRequest embed;
  embed.texts = {"a"};
  EXPECT_EQ(router.embed(embed, {})->model, "e1");
  embed.model = "e2";
  EXPECT_EQ(router.embed(embed, {})->model, "e2");
  EXPECT_EQ(router.models().size(), 4u);
  EXPECT_EQ(router.stats().size(), 2u);
  EXPECT_TRUE(router.tokenize("e1", "ab").ok());
}

TEST(ModelRouter, NamesWhatIsWrong) {
  ModelRouter router;
  EXPECT_EQ(router.chat(request(""), nullptr, {}).error().code, ErrorCode::unavailable);
  ASSERT_TRUE(router.add(fake("small", "e1")).ok());
  EXPECT_EQ(router.add(fake("other", "e1")).error().code, ErrorCode::already_exists);
  EXPECT_EQ(router.chat(request("nobody"), nullptr, {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(router.chat(request("e1"), nullptr, {}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(router.set_default("nobody").error().code, ErrorCode::not_found);
  ASSERT_TRUE(router.remove("small").ok());
  EXPECT_EQ(router.chat(request("small"), nullptr, {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(router.remove("small").error().code, ErrorCode::not_found);
}

TEST(FakeInference, StreamsCancelsAndEmbeds) {
  FakeInference fake;
  std::string streamed;
  const auto all = fake.chat(request(""), [&](const ChatDelta& d) { streamed += d.content; return true; }, {});
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(streamed, "hi");
  auto longer = request("");
  longer.messages[0].content = "很长的一段文字，分成许多片。";
  const auto cut = fake.chat(longer, [](const ChatDelta&) { return false; }, {});
  EXPECT_EQ(cut->finish, FinishReason::cancelled);
  EmbedRequest embed;
  embed.texts = {"利率是多少", "利率多少", "weather"};
  const auto vectors = fake.embed(embed, {})->vectors;
  const auto dot = [&](std::size_t a, std::size_t b) {
    float sum = 0;
    for (std::size_t i = 0; i < vectors[a].size(); ++i) sum += vectors[a][i] * vectors[b][i];
    return sum;
  };
  EXPECT_GT(dot(0, 1), dot(0, 2));
  EXPECT_NEAR(dot(0, 0), 1, 1e-5);
  EXPECT_EQ(fake.chat_requests().size(), 2u);
}

}  // namespace
}  // namespace heng::infer
