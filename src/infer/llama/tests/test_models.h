#pragma once

#include <gtest/gtest.h>


#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "heng/infer/llama/engine.h"

namespace heng::infer {

inline std::filesystem::path model_path(const std::string& file) {
  const char* folder = std::getenv("HENG_MODELS");
  if (!folder) return {};
  const auto path = std::filesystem::path(folder) / file;
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

inline constexpr const char* small_chat = "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf";
inline constexpr const char* small_e5 = "multilingual-e5-small-q4_0.gguf";
inline constexpr const char* small_bge = "bge-small-zh-v1.5-f16.gguf";

inline LlamaSettings chat_settings() {
  LlamaSettings settings;
  settings.path = model_path(small_chat);
  settings.name = "small";
  settings.context_tokens = 4096;
  settings.max_sequences = 32;
  return settings;
}

/// Loading takes a second: tests that need nothing special share one engine.
inline LlamaEngine& shared_engine() {
  static const std::unique_ptr<LlamaEngine> engine = [] {
    auto created = LlamaEngine::create(chat_settings());
    EXPECT_TRUE(created.ok()) << (created.ok() ? "" : created.error().message);
    return std::move(created).value();
  }();
  return *engine;
}

inline ChatRequest ask(const std::string& question, int max_tokens = 32, const std::string& tenant = "bank") {
  ChatRequest request;
  request.tenant = TenantId(tenant);
  request.messages.push_back({"system", "You are a helpful assistant.", {}, {}, {}, {}});
  request.messages.push_back({"user", question, {}, {}, {}, {}});
  request.max_tokens = max_tokens;
  return request;
}

inline std::string words(int count, int seed = 1) {
  static const char* list[] = {"bank", "rate", "loan", "card", "fee", "client", "branch", "risk", "fund", "bond", "account", "interest", "deposit", "payment", "limit", "year"};
  std::string out;
  unsigned state = static_cast<unsigned>(seed) * 2654435761u + 1;
  for (int i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    out += list[(state >> 24) % 16];
    out += ' ';
  }
  return out;
}

#define HENG_NEED_MODEL(file) \
  if (::heng::infer::model_path(file).empty()) GTEST_SKIP() << "HENG_MODELS has no " << (file)

}  // namespace heng::infer
