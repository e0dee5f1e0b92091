#include <gmock/gmock.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "test_models.h"

namespace heng::infer {
namespace {

using testing::HasSubstr;

std::unique_ptr<LlamaEngine> engine_with(LlamaSettings settings) {
  auto created = LlamaEngine::create(std::move(settings));
  EXPECT_TRUE(created.ok()) << (created.ok() ? "" : created.error().message);
  return created.ok() ? std::move(created).value() : nullptr;
}

class Engine : public testing::Test {
 protected:
  void SetUp() override { HENG_NEED_MODEL(small_chat); }
};

TEST_F(Engine, SecondRequestTakesThePrefixOfTheFirst) {
  auto engine = engine_with(chat_settings());
  auto request = ask("Shorten: " + words(200), 4);
  const auto first = engine->chat(request, nullptr, {});
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->usage.cached_tokens, 0);
  const auto cells = engine->stats()[0].kv_cells_used;
  const auto second = engine->chat(request, nullptr, {});
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->usage.cached_tokens, second->usage.prompt_tokens - 1);
  EXPECT_EQ(second->message.content, first->message.content);
  EXPECT_LE(engine->stats()[0].kv_cells_used, cells + 8);  // shared, not copied
  EXPECT_GT(engine->stats()[0].kv_bytes, 0);
}

TEST_F(Engine, TenantsNeverShareState) {
  auto engine = engine_with(chat_settings());
  auto request = ask("Secret plan: " + words(400), 2, "alpha");
  const auto alpha = engine->chat(request, nullptr, {});
  ASSERT_TRUE(alpha.ok());
  const auto cells = engine->stats()[0].kv_cells_used;
  request.tenant = TenantId("beta");
  const auto beta = engine->chat(request, nullptr, {});
  ASSERT_TRUE(beta.ok());
  EXPECT_EQ(beta->usage.cached_tokens, 0);
  // its own cells, all of them, and the time of reading the whole prompt: nothing betrays that alpha was here
  EXPECT_GE(engine->stats()[0].kv_cells_used, cells + beta->usage.prompt_tokens);
  const auto again = engine->chat(request, nullptr, {});
  ASSERT_TRUE(again.ok());
  EXPECT_GT(again->usage.cached_tokens, 400);
  EXPECT_GT(beta->timings.prompt_ms, 3 * again->timings.prompt_ms);
  // an empty tenant is one of its own, too
  request.tenant = TenantId();
  const auto none = engine->chat(request, nullptr, {});
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->usage.cached_tokens, 0);
}

TEST_F(Engine, AWaveOfRequestsReadsTheirPrefixOnce) {
  auto engine = engine_with(chat_settings());
  const std::string system = words(300, 3);
  constexpr int clients = 8;
  std::vector<std::thread> threads;
  std::atomic<int> cached = 0, prompt = 0, failed = 0;
  for (int i = 0; i < clients; ++i) {
    threads.emplace_back([&, i] {
      auto request = ask("Question " + std::to_string(i) + ": " + words(10, i), 8);
      request.messages[0].content = system;
      const auto result = engine->chat(request, nullptr, {});
      if (!result.ok()) { ++failed; return; }
      cached += result->usage.cached_tokens;
      prompt += result->usage.prompt_tokens;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  EXPECT_GT(cached, (clients - 1) * 300);
  EXPECT_LT(engine->stats()[0].prompt_tokens, 300 + clients * 60);
  EXPECT_LT(engine->stats()[0].kv_cells_used, 330 + clients * 80);
}

TEST_F(Engine, FullMemoryQueuesPreemptsAndStillAnswersAll) {
  auto settings = chat_settings();
  settings.context_tokens = 512;
  settings.max_sequences = 8;
  auto engine = engine_with(settings);
  std::vector<std::thread> threads;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      auto request = ask("Write about " + words(60, 20 + i), 100, "tenant" + std::to_string(i));
      const auto result = engine->chat(request, nullptr, {});
      EXPECT_TRUE(result.ok()) << result.error().message;
      if (result.ok() && result->usage.completion_tokens > 5) ++answered;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(answered, 6);
}

TEST_F(Engine, AnswerEndsWhereTheContextEnds) {
  auto settings = chat_settings();
  settings.context_tokens = 256;
  auto engine = engine_with(settings);
  const auto result = engine->chat(ask("Count up from one: one, two, three and so on without end.", 5000), nullptr, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_LE(result->usage.prompt_tokens + result->usage.completion_tokens, 256);
}

TEST_F(Engine, CancelsWhileQueuedReadingAndWriting) {
  auto settings = chat_settings();
  settings.max_sequences = 2;
  auto engine = engine_with(settings);
  // writing
  std::stop_source stop;
  std::atomic<int> pieces = 0;
  auto request = ask("Tell me a very long story.", 2000);
  const auto written = engine->chat(request, [&](const ChatDelta&) {
    if (++pieces == 5) stop.request_stop();
    return true;
  }, stop.get_token());
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(written->finish, FinishReason::cancelled);
  EXPECT_GE(written->tokens.size(), 5u);
  // reading: a long prompt is stopped long before it is read
  std::stop_source early;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    early.request_stop();
  });
  const auto begin = std::chrono::steady_clock::now();
  const auto read = engine->chat(ask(words(3000), 4), nullptr, early.get_token());
  canceller.join();
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::cancelled);
  EXPECT_LT(elapsed_ms(begin), 6000);
  // queued
  std::stop_source before;
  before.request_stop();
  EXPECT_EQ(engine->chat(ask("x"), nullptr, before.get_token()).error().code, ErrorCode::cancelled);
  EXPECT_TRUE(engine->chat(ask("still alive?", 2), nullptr, {}).ok());
}

TEST_F(Engine, DeadlinesEndRequests) {
  auto& engine = shared_engine();
  auto request = ask("Tell me a very long story.", 2000);
  request.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  EXPECT_EQ(engine.chat(request, nullptr, {}).error().code, ErrorCode::deadline_exceeded);
  request.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
  const auto result = engine.chat(request, nullptr, {});
  if (result.ok()) EXPECT_EQ(result->finish, FinishReason::deadline);
  else EXPECT_EQ(result.error().code, ErrorCode::deadline_exceeded);
}

TEST_F(Engine, FullQueueIsOverloaded) {
  auto settings = chat_settings();
  settings.max_sequences = 2;
  settings.queue_limit = 1;
  auto engine = engine_with(settings);
  std::vector<std::jthread> threads;
  std::stop_source stop;
  std::atomic<int> overloaded = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto result = engine->chat(ask("Tell me a long story.", 1000), nullptr, stop.get_token());
      if (!result.ok() && result.error().code == ErrorCode::overloaded) ++overloaded;
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  stop.request_stop();
  threads.clear();
  EXPECT_GE(overloaded, 4);
  EXPECT_EQ(engine->stats()[0].overloaded, overloaded);
}

TEST_F(Engine, InteractiveGoesBeforeBatch) {
  auto settings = chat_settings();
  settings.max_sequences = 2;  // one runs beside another at most
  auto engine = engine_with(settings);
  std::vector<std::jthread> threads;
  std::atomic<int> batch_done = 0;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      auto request = ask("Question " + std::to_string(i) + " " + words(20, i), 24);
      request.priority = Priority::batch;
      EXPECT_TRUE(engine->chat(request, nullptr, {}).ok());
      ++batch_done;
    });
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_TRUE(engine->chat(ask("Hello", 2), nullptr, {}).ok());
  EXPECT_LT(batch_done, 5);
}

TEST_F(Engine, TellsAboutItself) {
  const auto info = shared_engine().models().at(0);
  EXPECT_EQ(info.name, "small");
  EXPECT_EQ(info.kind, ModelInfo::Kind::chat);
  EXPECT_EQ(info.context_tokens, 4096);
  EXPECT_EQ(info.sha256, "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32");
  EXPECT_EQ(info.backend, "llama");
  EXPECT_TRUE(info.loaded);
}

TEST_F(Engine, LoadsLazily) {
  auto settings = chat_settings();
  settings.lazy = true;
  auto engine = engine_with(settings);
  EXPECT_FALSE(engine->models()[0].loaded);
  EXPECT_TRUE(engine->chat(ask("Hi", 2), nullptr, {}).ok());
  EXPECT_TRUE(engine->models()[0].loaded);
}

class BadFiles : public Engine {
 protected:
  void SetUp() override {
    Engine::SetUp();
    folder_ = std::filesystem::temp_directory_path() / ("heng-gguf-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  ErrorCode create(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    LlamaSettings settings;
    settings.path = folder_ / name;
    const auto created = LlamaEngine::create(settings);
    return created.ok() ? ErrorCode::internal : created.error().code;
  }
  std::filesystem::path folder_;
};

TEST_F(BadFiles, AreErrorsNotCrashes) {
  EXPECT_EQ(create("empty.gguf", ""), ErrorCode::corrupt);
  EXPECT_EQ(create("text.gguf", "this is no model"), ErrorCode::corrupt);
  std::ifstream file(model_path(small_chat), std::ios::binary);
  std::string head(8 << 20, '\0');
  file.read(head.data(), static_cast<std::streamsize>(head.size()));
  EXPECT_EQ(create("truncated.gguf", head), ErrorCode::corrupt);
  EXPECT_EQ(create("cut.gguf", head.substr(0, 1000)), ErrorCode::corrupt);
  LlamaSettings missing;
  missing.path = folder_ / "missing.gguf";
  EXPECT_EQ(LlamaEngine::create(missing).error().code, ErrorCode::not_found);
  LlamaSettings wrong = chat_settings();
  wrong.max_sequences = 1000;
  EXPECT_EQ(LlamaEngine::create(wrong).error().code, ErrorCode::invalid_argument);
  LlamaSettings adapter = chat_settings();
  adapter.adapters = {{"a", folder_ / "text.gguf", 1.0}};
  EXPECT_EQ(LlamaEngine::create(adapter).error().code, ErrorCode::corrupt);
}

TEST_F(BadFiles, VerifyFindsAChangedFile) {
  std::ofstream(folder_ / "m.gguf") << "weights";
  const auto path = folder_ / "m.gguf";
  const auto sha = model_file_sha256(path);
  ASSERT_TRUE(sha.ok());
  EXPECT_TRUE(std::filesystem::exists(path.string() + ".sha256"));
  EXPECT_TRUE(verify_model_file(path).ok());
  std::ofstream(path) << "weight5";
  EXPECT_EQ(verify_model_file(path).error().code, ErrorCode::corrupt);
  std::filesystem::last_write_time(path.string() + ".sha256", std::filesystem::last_write_time(path) - std::chrono::hours(1));
  EXPECT_NE(*model_file_sha256(path), *sha);
}

}  // namespace
}  // namespace heng::infer
