#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chat_request.h"
#include "fields.h"
#include "heng/api/json.h"

namespace heng::api {
namespace {

using ::testing::HasSubstr;

Result<ParsedChat> parse(const std::string& more) {
  return parse_chat_request(R"({"model":"m","messages":[{"role":"user","content":"x"}])" + (more.empty() ? "" : "," + more) + "}", {});
}

TEST(ChatRequest, ReadsEveryField) {
  const auto parsed = parse(
      R"("temperature":1,"top_p":0.9,"frequency_penalty":1.5,"presence_penalty":-1,"seed":7,"logit_bias":{"42":-100},"stop":"。",)"
      R"("max_tokens":9,"max_completion_tokens":5,"logprobs":true,"top_logprobs":4,"stream":true,"stream_options":{"include_usage":true},)"
      R"("tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}],"tool_choice":{"type":"function","function":{"name":"f"}},)"
      R"("response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}},"heng":{"lora":"l","priority":"batch"})");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  const auto& chat = parsed->chat;
  EXPECT_EQ(chat.max_tokens, 5);
  EXPECT_EQ(chat.stop, std::vector<std::string>{"。"});
  EXPECT_EQ(chat.sampling.seed, 7u);
  EXPECT_EQ(chat.sampling.logit_bias[0], std::pair(42, -100.0));
  EXPECT_EQ(chat.top_logprobs, 4);
  EXPECT_EQ(chat.tool_choice, "f");
  EXPECT_EQ(chat.tools[0].parameters_json, R"({"type":"object"})");
  EXPECT_EQ(chat.json_schema, R"({"type":"object"})");
  EXPECT_EQ(chat.lora, "l");
  EXPECT_EQ(chat.priority, Priority::batch);
  EXPECT_TRUE(parsed->stream && parsed->include_usage);
}

TEST(ChatRequest, TreatsNullAsAbsentAndCapsTheLength) {
  const auto parsed = parse(R"("temperature":null,"tools":null,"stop":null,"heng":null,"max_tokens":2000000000)");
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->chat.max_tokens, 4096);
  EXPECT_TRUE(check_combinations(*parsed).ok());
}

TEST(ChatRequest, RefusesWrongTypesByName) {
  for (const auto& [more, param] : std::vector<std::pair<std::string, std::string>>{
           {R"("temperature":"hot")", "temperature"}, {R"("stream":1)", "stream"}, {R"("seed":1.5)", "seed"}, {R"("stop":[1])", "stop"},
           {R"("tools":[{"type":"x"}])", "tools[0].type"}, {R"("tools":[{"type":"function"}])", "tools[0].function"},
           {R"("tool_choice":"maybe")", "tool_choice"}, {R"("response_format":{"type":"xml"})", "response_format.type"},
           {R"("response_format":{"type":"json_schema"})", "response_format.json_schema"}, {R"("logit_bias":{"x":1})", "logit_bias"},
           {R"("top_logprobs":21)", "top_logprobs"}, {R"("heng":{"passages":0})", "heng.passages"}, {R"("max_tokens":0)", "max_tokens"}}) {
    const auto parsed = parse(more);
    ASSERT_FALSE(parsed.ok()) << more;
    EXPECT_EQ(parsed.error().param, param) << more;
  }
  const auto unknown_tool = parse(R"("tool_choice":{"type":"function","function":{"name":"g"}})");
  ASSERT_TRUE(unknown_tool.ok());
  EXPECT_EQ(check_combinations(*unknown_tool).error().param, "tool_choice");
}

TEST(ChatRequest, ReadsTheToolDialogue) {
  const auto parsed = parse_chat_request(
      R"({"model":"heng/kb:fees","messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},)"
      R"({"role":"tool","tool_call_id":"c","content":"5"}]})", {});
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->kb, "fees");
  EXPECT_EQ(parsed->chat.model, "");
  EXPECT_EQ(parsed->chat.messages[0].tool_calls[0].name, "f");
  EXPECT_EQ(parsed->chat.messages[1].tool_call_id, "c");
}

TEST(CompletionRequest, TakesOnePrompt) {
  EXPECT_EQ(parse_completion_request(R"({"model":"m","prompt":["a"]})", {})->chat.raw_prompt, "a");
  EXPECT_FALSE(parse_completion_request(R"({"model":"m","prompt":["a","b"]})", {}).ok());
  EXPECT_FALSE(parse_completion_request(R"({"model":"m","prompt":"a","echo":true})", {}).ok());
}

TEST(Json, RefusesDepthRepetitionAndBadBytes) {
  EXPECT_TRUE(parse_json(std::string(64, '[') + std::string(64, ']')).ok());
  EXPECT_FALSE(parse_json(std::string(65, '[') + std::string(65, ']')).ok());
  EXPECT_TRUE(parse_json(R"({"a":"]]]]\"[[[[","b":{"a":1},"c":[{"a":1},{"a":2}]})").ok());
  EXPECT_EQ(parse_json(R"({"a":{"b":1,"b":2}})").error().param, "b");
  EXPECT_THAT(parse_json("{\"a\":1,}").error().message, HasSubstr("byte 8"));
  EXPECT_THAT(parse_json("\"\xe8\xa1\"").error().message, HasSubstr("UTF-8 at byte 1"));
}

TEST(Json, NeverFailsToWrite) {
  AskAnswer answer;
  answer.answer = "bad \xff";
  answer.timings.push_back({"search", std::numeric_limits<double>::quiet_NaN()});
  EXPECT_THAT(to_json(answer), HasSubstr("bad \xef\xbf\xbd"));
  EXPECT_TRUE(nlohmann::json::accept(to_json(answer)));
}

}  // namespace
}  // namespace heng::api
