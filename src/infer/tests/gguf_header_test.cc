#include "heng/infer/gguf_header.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace heng::infer {
namespace {

std::string corpus(const std::string& name) {
  std::ifstream file(std::string(HENG_ROOM_DIR) + "/fuzz/corpus/gguf_header/" + name, std::ios::binary);
  std::stringstream all;
  all << file.rdbuf();
  return all.str();
}

ErrorCode code_of(const std::string& name) {
  const auto bytes = corpus(name);
  const auto header = parse_gguf_header(bytes, bytes.size());
  return header.ok() ? ErrorCode::internal : header.error().code;
}

TEST(GgufHeader, ReadsKeysAndSizes) {
  const auto bytes = corpus("good");
  const auto header = parse_gguf_header(bytes, bytes.size());
  ASSERT_TRUE(header.ok()) << header.error().message;
  EXPECT_EQ(header->architecture, "qwen2");
  EXPECT_EQ(header->number("block_count", 0), 24);
  EXPECT_EQ(header->number("unknown", -1), -1);
  EXPECT_EQ(header->tensors, 1u);
  EXPECT_EQ(header->size_needed_bytes, bytes.size());
  EXPECT_EQ(header->type, "model");
}

TEST(GgufHeader, NonsenseIsNamed) {
  EXPECT_EQ(code_of("truncated"), ErrorCode::corrupt);
  EXPECT_EQ(code_of("cut_header"), ErrorCode::corrupt);
  for (const char* name : {"version", "counts", "shape", "alignment", "array_of_arrays", "text", "empty", "array_count"}) EXPECT_EQ(code_of(name), ErrorCode::malformed_input) << name;
  EXPECT_EQ(code_of("long_string"), ErrorCode::corrupt);
}

TEST(GgufHeader, EveryCutOfAGoodFileIsAnError) {
  const auto bytes = corpus("good");
  for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(parse_gguf_header(std::string_view(bytes).substr(0, n), n).ok()) << n;
  const auto more = parse_gguf_header(std::string_view(bytes).substr(0, 60), bytes.size());
  EXPECT_EQ(more.error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace heng::infer
