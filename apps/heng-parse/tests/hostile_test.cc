// The real heng-parse against hostile, broken and wrong files: each costs one clear error, and the next document parses.

#include <gtest/gtest.h>
#include <seccomp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <random>

#include "heng/parse/process_parser.h"
#include "heng/parse/sandbox.h"
#include "make_office.h"

namespace heng::parse {
namespace {

using formats::testing::make_docx;
using formats::testing::make_xlsx;
using formats::testing::make_zip;

std::unique_ptr<DocumentParser> parser(ProcessParserSettings settings = {}) {
  settings.program = HENG_BIN_DIR "/heng-parse";
  auto made = ProcessParser::create(settings);
  EXPECT_TRUE(made) << made.error().message;
  return made ? std::move(*made) : nullptr;
}

class Hostile : public testing::Test {
 protected:
  void SetUp() override {
    if (std::string missing = missing_confinement(); !missing.empty()) GTEST_SKIP() << "this kernel lacks " << missing;
  }
  void expect_error(const std::string& name, const std::string& bytes, ErrorCode code, const std::string& words) {
    auto result = parser_->parse(name, bytes);
    ASSERT_FALSE(result) << name << " was parsed";
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_NE(result.error().message.find(words), std::string::npos) << result.error().message;
    EXPECT_EQ(result.error().message.find('\n'), std::string::npos);
  }
  std::unique_ptr<DocumentParser> parser_ = parser();
};

std::string run(const std::string& text) { return "<w:p><w:r><w:t>" + text + "</w:t></w:r></w:p>"; }

// A PDF with one page of text, its cross-reference left for the reader to rebuild.
std::string small_pdf(const std::string& content, const std::string& extra = "") {
  return "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
         "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n4 0 obj<</Length " +
         std::to_string(content.size()) + ">>stream\n" + content + "\nendstream endobj\n5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n" + extra +
         "trailer<</Root 1 0 R/Size 6>>\n%%EOF\n";
}

TEST_F(Hostile, APlainPdfParses) {
  auto result = parser_->parse("a.pdf", small_pdf("BT /F 12 Tf 72 700 Td (Hello balance) Tj ET"));
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->blocks.size(), 1u);
  EXPECT_EQ(result->blocks[0].text, "Hello balance");
  EXPECT_EQ(result->blocks[0].page, 1);
  EXPECT_EQ(result->media_type, "application/pdf");
}

TEST_F(Hostile, PagesThatContainThemselvesEnd) {
  std::string loop = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R 2 0 R]/Count 1000000>>endobj\n"
                     "trailer<</Root 1 0 R/Size 3>>\n%%EOF\n";
  auto result = parser_->parse("loop.pdf", loop);
  if (result) {
    EXPECT_FALSE(result->warnings.empty());
  } else {
    EXPECT_FALSE(result.error().message.empty());
  }
}

TEST_F(Hostile, BrokenPdfs) {
  expect_error("a.pdf", "%PDF-1.7\nnothing more", ErrorCode::malformed_input, "damaged or cut short");
  expect_error("a.pdf", "%PDF-1.7\n" + std::string(100000, '\0'), ErrorCode::malformed_input, "damaged or cut short");
}

TEST_F(Hostile, Bombs) {
  expect_error("a.docx", make_docx(run(std::string(60 << 20, 'a'))), ErrorCode::too_large, "archive bomb");
  std::string shared = "<si><t>" + std::string(60 << 20, 'a') + "</t></si>";
  expect_error("a.xlsx", make_xlsx("<sheetData/>", shared), ErrorCode::too_large, "archive bomb");
  std::string laughs = "<!DOCTYPE lolz [<!ENTITY a \"ha\">";
  for (char c = 'b'; c < 'k'; ++c) {
    std::string ten;
    for (int i = 0; i < 10; ++i) ten += std::string("&") + static_cast<char>(c - 1) + ";";
    laughs += std::string("<!ENTITY ") + c + " \"" + ten + "\">";
  }
  laughs += "]><w:document xmlns:w=\"w\"><w:body>" + run("&j;") + "</w:body></w:document>";
  auto result = parser_->parse("a.docx", make_zip({{"[Content_Types].xml", "<Types/>"}, {"word/document.xml", laughs}}));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->blocks.at(0).text, "&j;");
}

TEST_F(Hostile, DeepNesting) {
  std::string html;
  for (int i = 0; i < 100000; ++i) html += "<div><b>";
  auto result = parser_->parse("a.html", html + "core");
  if (result) {
    EXPECT_EQ(result->blocks.at(0).text, "core");
  } else {
    EXPECT_FALSE(result.error().message.empty());
  }
  auto markdown = parser_->parse("a.md", std::string(100000, '>') + " core");
  if (!markdown) {
    EXPECT_FALSE(markdown.error().message.empty());
  }
}

TEST_F(Hostile, WrongFormats) {
  expect_error("a.txt", std::string("\x7F" "ELF\2\1\1\0\0\0", 10), ErrorCode::unsupported, "documents only");
  expect_error("a.doc", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + std::string("W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0", 24), ErrorCode::unsupported, "save it as .docx");
  expect_error("a.txt", "", ErrorCode::malformed_input, "0 bytes");
  expect_error("a.txt", " \n\t\n", ErrorCode::malformed_input, "no text");
}

TEST_F(Hostile, TooMuch) {
  ProcessParserSettings settings;
  settings.max_output_bytes = 1 << 20;
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "line " + std::to_string(i) + " of a long text\n\n";
  auto result = parser(settings)->parse("a.txt", text);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::too_large) << result.error().message;
  settings = {};
  settings.max_input_bytes = 1000;
  EXPECT_EQ(parser(settings)->parse("a.txt", text).error().code, ErrorCode::too_large);
}

TEST_F(Hostile, AttachmentsAreParsedToADepth) {
  std::string mail = "From: a\nTo: b\nSubject: outer\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nbody\n--x\nContent-Type: text/csv; name=r.csv\n"
                     "Content-Disposition: attachment\n\nItem,Fee\nCard,10\n--x\nContent-Type: application/x-other; name=p.bin\nContent-Disposition: attachment\n"
                     "Content-Transfer-Encoding: base64\n\nAAECAwQ=\n--x--\n";
  auto result = parser_->parse("m.eml", mail);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(result->blocks.back().rows.at(1).at(1), "10");
  ASSERT_EQ(result->warnings.size(), 1u);
  EXPECT_NE(result->warnings[0].find("attachment p.bin was not read"), std::string::npos);
  ProcessParserSettings none;
  none.max_attachment_depth = 0;
  EXPECT_EQ(parser(none)->parse("m.eml", mail)->warnings.size(), 2u);
}

TEST_F(Hostile, MutationsNeverHurtTheParent) {
  std::mt19937 random(7);
  const std::string docx = make_docx(run("alpha") + run("beta")), pdf = small_pdf("BT /F 12 Tf 72 700 Td (Hello) Tj ET");
  for (const std::string& whole : {docx, pdf}) {
    for (int round = 0; round < 40; ++round) {
      std::string bytes = whole;
      for (int i = 0; i < 8; ++i) bytes[random() % bytes.size()] = static_cast<char>(random());
      if (round % 4 == 0) bytes.resize(random() % bytes.size());
      auto result = parser_->parse("m", bytes);
      if (!result) {
        EXPECT_FALSE(result.error().message.empty());
        EXPECT_NE(result.error().code, ErrorCode::internal) << result.error().message;
      }
    }
  }
  EXPECT_TRUE(parser_->parse("a.docx", docx));
}

// Runs heng-parse as on a kernel that has no Landlock.
std::string without_landlock(const char* option) {
  int input[2], output[2];
  if (pipe(input) != 0 || pipe(output) != 0) return "no pipe";
  pid_t child = fork();
  if (child == 0) {
    dup2(input[0], 0);
    dup2(output[1], 1);
    close(input[1]);
    close(output[0]);
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0);
    seccomp_load(filter);
    execl(HENG_BIN_DIR "/heng-parse", "heng-parse", "--name=a.txt", option, nullptr);
    _exit(127);
  }
  close(input[0]);
  close(output[1]);
  if (write(input[1], "some words", 10) != 10) return "no input";
  close(input[1]);
  std::string said;
  char buffer[4096];
  for (ssize_t got; (got = read(output[0], buffer, sizeof buffer)) > 0;) said.append(buffer, static_cast<std::size_t>(got));
  close(output[0]);
  waitpid(child, nullptr, 0);
  return said;
}

TEST_F(Hostile, AKernelWithoutLandlockIsRefusedUnlessAllowed) {
  std::string refused = without_landlock("--max-cpu=10");
  EXPECT_NE(refused.find("\"unavailable\""), std::string::npos) << refused;
  EXPECT_NE(refused.find("Landlock"), std::string::npos) << refused;
  std::string allowed = without_landlock("--allow-missing-sandbox");
  EXPECT_NE(allowed.find("some words"), std::string::npos) << allowed;
}

TEST_F(Hostile, AMissingPdftotextIsSaid) {
  ProcessParserSettings settings;
  settings.pdftotext = "/nonexistent/pdftotext";
  auto result = parser(settings)->parse("a.pdf", small_pdf("BT ET"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::unavailable) << result.error().message;
  EXPECT_NE(result.error().message.find("install poppler-utils"), std::string::npos) << result.error().message;
}

}  // namespace
}  // namespace heng::parse
