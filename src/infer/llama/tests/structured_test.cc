#include <gmock/gmock.h>

#include "chat_format.h"
#include "test_models.h"
#include "tool_call_text.h"

namespace heng::infer {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

const char* const person_schema = R"({"type":"object","properties":{"full_name":{"type":"string"},"age_in_years":{"type":"integer"},
  "occupation":{"enum":["banker","teacher","engineer"]}},"required":["full_name","age_in_years","occupation"],"additionalProperties":false})";

ToolSpec weather_tool() {
  return {"get_weather", "Current weather of a city", R"({"type":"object","properties":{"city":{"type":"string"}},"required":["city"]})"};
}

TEST(CompactGrammar, FixesWhiteSpace) {
  EXPECT_EQ(compact_grammar("root ::= \"{\" space a-kv \",\" space b space \"}\"\na-kv ::= \"\\\"a\\\"\" space \":\" space string\nspace ::= | \" \"\n"),
            "root ::= \"{\"  a-kv \", \"  b  \"}\"\na-kv ::= \"\\\"a\\\"\"  \": \"  string\n\n");
  EXPECT_THAT(compact_grammar("x ::= \"in space\" [a space] spaceship\n"), HasSubstr("x ::= \"in space\" [a space] spaceship"));
}

TEST(SchemaGrammar, RefusesWhatItCannotUse) {
  EXPECT_TRUE(schema_grammar(person_schema).ok());
  EXPECT_EQ(schema_grammar("{not json").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(schema_grammar(R"({"type":"nonsense"})").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(schema_grammar(std::string(1000, '[')).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(schema_grammar(std::string(1 << 20, ' ')).error().code, ErrorCode::too_large);
}

class Structured : public testing::Test {
 protected:
  void SetUp() override { HENG_NEED_MODEL(small_chat); }
};

TEST_F(Structured, JsonFollowsTheSchemaAndFixedPartsAreForced) {
  auto request = ask("Describe a person named Ada who is 36 and works in a bank, as JSON.", 64);
  request.json_schema = person_schema;
  const auto result = shared_engine().chat(request, nullptr, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_THAT(result->message.content, MatchesRegex(R"re(\{"full_name": "[^"]*", "age_in_years": -?[0-9]+, "occupation": "(banker|teacher|engineer)"\})re"));
  EXPECT_EQ(result->finish, FinishReason::stop);
  int forced = 0;
  for (const auto& token : result->tokens) forced += token.forced;
  EXPECT_GE(forced, 8) << result->message.content;
  std::string joined;
  for (const auto& token : result->tokens) joined += token.text;
  EXPECT_EQ(joined, result->message.content);
}

TEST_F(Structured, ForcingDoesNotChangeWhatTheModelSays) {
  auto request = ask("Describe a person named Ada who is 36 and works in a bank, as JSON.", 64);
  request.json_schema = person_schema;
  const auto result = shared_engine().chat(request, nullptr, {});
  ASSERT_TRUE(result.ok());
  ReplayRequest replay;
  replay.prompt_tokens = result->prompt_tokens;
  for (const auto& token : result->tokens) replay.output_tokens.push_back(token.token);
  const auto replayed = shared_engine().replay(replay, {});
  ASSERT_TRUE(replayed.ok());
  for (std::size_t i = 0; i < result->tokens.size(); ++i) EXPECT_NEAR(std::exp(replayed->logprobs[i]), std::exp(result->tokens[i].logprob), 0.05) << i;
  // the forced text is tokenised as the tokenizer would
  const auto canonical = shared_engine().tokenize("", result->message.content);
  ASSERT_TRUE(canonical.ok());
  EXPECT_NEAR(static_cast<double>(canonical->size()), static_cast<double>(result->tokens.size()), 3);
}

TEST_F(Structured, GrammarBoundsTheAnswer) {
  auto request = ask("Is the sky blue?", 16);
  request.grammar = "root ::= \"yes\" | \"no\"";
  const auto result = shared_engine().chat(request, nullptr, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_THAT(result->message.content, MatchesRegex("yes|no"));
  request.grammar = "root ::= \"完全确定的答案\"";
  const auto fixed = shared_engine().chat(request, nullptr, {});
  ASSERT_TRUE(fixed.ok());
  EXPECT_EQ(fixed->message.content, "完全确定的答案");
  EXPECT_EQ(fixed->finish, FinishReason::stop);
}

TEST_F(Structured, SampledJsonIsStillValid) {
  auto request = ask("Describe any person as JSON.", 80);
  request.json_schema = person_schema;
  request.sampling.temperature = 1.5;
  request.sampling.top_k = 0;
  request.sampling.top_p = 1;
  for (int seed = 0; seed < 3; ++seed) {
    request.sampling.seed = static_cast<std::uint64_t>(seed);
    const auto result = shared_engine().chat(request, nullptr, {});
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->message.content.rfind("{\"full_name\": \"", 0), 0u) << result->message.content;
  }
}

TEST_F(Structured, BadGrammarsAreInvalidArguments) {
  auto request = ask("x", 4);
  request.grammar = "root ::= ((( nonsense";
  EXPECT_EQ(shared_engine().chat(request, nullptr, {}).error().code, ErrorCode::invalid_argument);
  request.grammar = "root ::= root \"a\"";  // left recursion
  EXPECT_EQ(shared_engine().chat(request, nullptr, {}).error().code, ErrorCode::invalid_argument);
  request.grammar = "start ::= \"a\"";  // no root
  EXPECT_EQ(shared_engine().chat(request, nullptr, {}).error().code, ErrorCode::invalid_argument);
  request.grammar = "root ::= \"a\"";
  request.json_schema = "{}";
  EXPECT_EQ(shared_engine().chat(request, nullptr, {}).error().code, ErrorCode::invalid_argument);
}

TEST_F(Structured, RequiredToolIsCalledWithFittingArguments) {
  auto request = ask("What is the weather in Paris?", 80);
  request.tools = {weather_tool()};
  request.tool_choice = "required";
  std::string name, arguments, id, content;
  const auto result = shared_engine().chat(request, [&](const ChatDelta& delta) {
    content += delta.content;
    for (const auto& part : delta.tool_calls) {
      name += part.name;
      arguments += part.arguments_part;
      if (!part.id.empty()) id = part.id;
    }
    return true;
  }, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_EQ(result->message.tool_calls.size(), 1u) << result->message.content;
  EXPECT_EQ(result->finish, FinishReason::tool_calls);
  EXPECT_EQ(result->message.tool_calls[0].name, "get_weather");
  EXPECT_THAT(result->message.tool_calls[0].arguments_json, HasSubstr("Paris"));
  EXPECT_EQ(name, "get_weather");
  EXPECT_EQ(arguments, result->message.tool_calls[0].arguments_json);
  EXPECT_EQ(id, result->message.tool_calls[0].id);
  EXPECT_FALSE(id.empty());
}

TEST_F(Structured, ACallWrittenAsBareJsonIsStillACall) {
  auto request = ask("What is the weather in Paris? Use the tool.", 80);
  request.tools = {weather_tool()};
  std::string content, arguments;
  const auto result = shared_engine().chat(request, [&](const ChatDelta& delta) {
    content += delta.content;
    for (const auto& part : delta.tool_calls) arguments += part.arguments_part;
    return true;
  }, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  ASSERT_GE(result->message.tool_calls.size(), 1u) << result->message.content;
  EXPECT_EQ(result->finish, FinishReason::tool_calls);
  EXPECT_EQ(content, result->message.content);
  EXPECT_THAT(arguments, HasSubstr("Paris"));
}

TEST(ToolCallText, RecognisesWholeAnswersOnly) {
  const std::set<std::string> tools = {"f"};
  EXPECT_EQ(tool_calls_in_text(R"({"name": "f", "arguments": {"a": "}"}})", tools).size(), 1u);
  EXPECT_EQ(tool_calls_in_text("```json\n{\"name\": \"f\", \"arguments\": {}}\n```", tools).size(), 1u);
  EXPECT_EQ(tool_calls_in_text(R"({"name": "f", "arguments": {}}
{"name": "f", "arguments": {}})", tools).size(), 2u);
  EXPECT_TRUE(tool_calls_in_text(R"({"name": "g", "arguments": {}})", tools).empty());
  EXPECT_TRUE(tool_calls_in_text(R"({"name": "f", "arguments": {}} and more)", tools).empty());
  EXPECT_TRUE(tool_calls_in_text(R"({"name": "f", "arguments": "x"})", tools).empty());
  EXPECT_TRUE(tool_calls_in_text("", tools).empty());
  EXPECT_TRUE(tool_calls_in_text("{{{{", tools).empty());
  EXPECT_TRUE(may_become_tool_call("```js"));
  EXPECT_TRUE(may_become_tool_call("{ \"na"));
  EXPECT_FALSE(may_become_tool_call("{\"title"));
  EXPECT_FALSE(may_become_tool_call("Hello"));
}

TEST_F(Structured, ToolResultsAreUsedInTheAnswer) {
  auto request = ask("What is the weather in Paris?", 40);
  request.tools = {weather_tool()};
  request.messages.push_back({"assistant", "", {}, {}, {}, {{"call_1", "get_weather", R"({"city":"Paris"})"}}});
  request.messages.push_back({"tool", R"({"temperature_celsius": 17, "sky": "rain"})", {}, "get_weather", "call_1", {}});
  const auto result = shared_engine().chat(request, nullptr, {});
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_THAT(result->message.content, HasSubstr("17"));
}

TEST_F(Structured, BadToolsAreInvalidArguments) {
  auto request = ask("x", 4);
  request.tools = {weather_tool()};
  request.tool_choice = "fly";
  EXPECT_EQ(shared_engine().chat(request, nullptr, {}).error().code, ErrorCode::invalid_argument);
  request.tool_choice = "auto";
  request.tools[0].parameters_json = "{broken";
  EXPECT_EQ(shared_engine().chat(request, nullptr, {}).error().code, ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace heng::infer
