// A parser that has been taken over: each thing it tries must fail, and its parent must go on with one clear error.

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

#include "heng/parse/process_parser.h"
#include "heng/parse/sandbox.h"

namespace heng::parse {
namespace {

Error attack(const std::string& name, ProcessParserSettings settings = {}) {
  settings.program = HENG_BIN_DIR "/parse_attacker";
  auto parser = ProcessParser::create(settings);
  if (!parser) return parser.error();
  auto result = (*parser)->parse(name, "a document");
  if (result) return Error(ErrorCode::internal, "THE ATTACK GAVE A DOCUMENT");
  return result.error();
}

class Attacks : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string missing = missing_confinement(); !missing.empty()) GTEST_SKIP() << "this kernel lacks " << missing;
  }
};

struct Refused {
  const char* attack;
  ErrorCode code;
  const char* message;
};

class RefusedAttacks : public Attacks, public testing::WithParamInterface<Refused> {};

TEST_P(RefusedAttacks, FailAndAreSaid) {
  Error error = attack(GetParam().attack);
  EXPECT_EQ(error.code, GetParam().code) << error.message;
  EXPECT_NE(error.message.find(GetParam().message), std::string::npos) << error.message;
}

constexpr ErrorCode lived = ErrorCode::unsupported;  // the attacker's own report
INSTANTIATE_TEST_SUITE_P(
    Compute, RefusedAttacks,
    testing::Values(Refused{"read-file", lived, "open: Operation not permitted"}, Refused{"write-file", lived, "open: Operation not permitted"},
                    Refused{"write-input", lived, "write: Operation not permitted"}, Refused{"delete-file", lived, "unlink: Operation not permitted"},
                    Refused{"list-folder", lived, "open: Operation not permitted"}, Refused{"code", lived, "mmap: Operation not permitted"},
                    Refused{"environment", lived, "environment: empty"}, Refused{"complain", lived, "complained"},
                    Refused{"connect", ErrorCode::malformed_input, "forbidden operation"},
                    Refused{"unix-socket", ErrorCode::malformed_input, "forbidden operation"},
                    Refused{"fork-bomb", ErrorCode::malformed_input, "forbidden operation"},
                    Refused{"shell", ErrorCode::malformed_input, "forbidden operation"},
                    Refused{"ptrace", ErrorCode::malformed_input, "forbidden operation"},
                    Refused{"kill-parent", ErrorCode::malformed_input, "forbidden operation"},
                    Refused{"crash", ErrorCode::malformed_input, "crashed its parser (signal 11)"},
                    Refused{"abort", ErrorCode::malformed_input, "crashed its parser (signal 6)"},
                    Refused{"nothing", ErrorCode::malformed_input, "stops in the middle"},
                    Refused{"garbage", ErrorCode::malformed_input, "not a JSON object"},
                    Refused{"half", ErrorCode::malformed_input, "stops in the middle"}));

// Poppler's programs may open system libraries and start; nothing else.
INSTANTIATE_TEST_SUITE_P(
    Tool, RefusedAttacks,
    testing::Values(Refused{"tool:read-file", lived, "open: Permission denied"}, Refused{"tool:write-file", lived, "open: Operation not permitted"},
                    Refused{"tool:list-folder", lived, "open: Permission denied"}, Refused{"tool:shell", lived, "exec: Permission denied"},
                    Refused{"tool:connect", ErrorCode::malformed_input, "forbidden operation"},
                    Refused{"tool:fork-bomb", ErrorCode::malformed_input, "forbidden operation"},
                    Refused{"tool:ptrace", ErrorCode::malformed_input, "forbidden operation"}));

TEST_F(Attacks, MemoryIsLimited) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers reserve more address space than the limit";
#endif
  Error error = attack("memory");
  EXPECT_EQ(error.message, "memory: refused");
}

TEST_F(Attacks, ProcessorTimeIsLimited) {
  ProcessParserSettings settings;
  settings.max_cpu_s = 1;
  Error error = attack("spin", settings);
  EXPECT_EQ(error.code, ErrorCode::deadline_exceeded) << error.message;
  EXPECT_NE(error.message.find("1 s of processor time"), std::string::npos) << error.message;
}

TEST_F(Attacks, WallTimeIsLimited) {
  ProcessParserSettings settings;
  settings.max_wall_ms = 300;
  auto start = std::chrono::steady_clock::now();
  Error error = attack("sleep", settings);
  EXPECT_EQ(error.code, ErrorCode::deadline_exceeded) << error.message;
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

TEST_F(Attacks, OutputIsLimited) {
  ProcessParserSettings settings;
  settings.max_output_bytes = 1 << 20;
  Error error = attack("print", settings);
  EXPECT_EQ(error.code, ErrorCode::too_large) << error.message;
  EXPECT_NE(error.message.find("1.0 MiB"), std::string::npos) << error.message;
}

TEST_F(Attacks, NothingIsLeftBehind) {
  attack("write-file");
  EXPECT_FALSE(std::filesystem::exists("heng-attack"));
}

TEST(ProcessParser, RefusesAMissingProgram) {
  ProcessParserSettings settings;
  settings.program = HENG_BIN_DIR "/no-such-parser";
  auto parser = ProcessParser::create(settings);
  ASSERT_FALSE(parser);
  EXPECT_EQ(parser.error().code, ErrorCode::not_found);
}

TEST(ProcessParser, RefusesSenselessLimits) {
  ProcessParserSettings settings;
  settings.max_wall_ms = 0;
  EXPECT_EQ(ProcessParser::create(settings).error().code, ErrorCode::invalid_argument);
}

TEST(ProcessParser, RefusesEmptyAndOversizedInput) {
  ProcessParserSettings settings;
  settings.program = HENG_BIN_DIR "/parse_attacker";
  settings.max_input_bytes = 10;
  auto parser = ProcessParser::create(settings);
  ASSERT_TRUE(parser);
  EXPECT_EQ((*parser)->parse("x", "").error().code, ErrorCode::malformed_input);
  EXPECT_EQ((*parser)->parse("x", "12345678901").error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace heng::parse
