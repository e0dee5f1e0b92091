#include <gtest/gtest.h>

#include "charset.h"
#include "headings.h"
#include "heng/base/text.h"
#include "heng/formats/reader.h"

namespace heng::formats {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Reading must_read(Format format, const std::string& bytes, const std::string& name = "x") {
  auto reading = read(format, name, bytes, {});
  EXPECT_TRUE(reading) << reading.error().message;
  return reading ? *reading : Reading{};
}

TEST(Detect, BytesComeBeforeTheName) {
  EXPECT_EQ(*detect("report.txt", "%PDF-1.7\n"), Format::pdf);
  EXPECT_EQ(*detect("page.txt", "  <!DOCTYPE html><html><body>x"), Format::html);
  EXPECT_EQ(*detect("mail.txt", "From: a@b\nTo: c@d\nSubject: x\n\nhello"), Format::email);
  EXPECT_EQ(*detect("notes", "# Title\n\ntext\n\n## Part\n"), Format::markdown);
  EXPECT_EQ(*detect("notes.txt", "just words"), Format::text);
  EXPECT_EQ(*detect("rates.csv", "a,b\n1,2\n"), Format::csv);
}

TEST(Detect, SaysWhatToDoWithOtherFormats) {
  std::string ole = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1" + std::string(100, '\0');
  auto wide = [](const std::string& text) {
    std::string out;
    for (char c : text) out += c, out += '\0';
    return out;
  };
  struct Case {
    std::string bytes, advice;
  };
  for (const Case& one : std::vector<Case>{{ole + wide("WordDocument"), "save it as .docx"}, {ole + wide("Workbook"), "save it as .xlsx"},
                                           {ole + wide("EncryptedPackage"), "without a password"}, {"{\\rtf1 text", "save it as .docx"},
                                           {std::string("\x89PNG\r\n\x1A\n\0\0\0", 11), "text layer"}, {std::string("\x7F" "ELF\0\0\0", 7), "documents only"},
                                           {std::string("\0\1\2\3binary", 10), "save it as PDF"}}) {
    auto format = detect("named.txt", one.bytes);
    ASSERT_FALSE(format);
    EXPECT_EQ(format.error().code, ErrorCode::unsupported);
    EXPECT_NE(format.error().message.find(one.advice), std::string::npos) << format.error().message;
  }
  EXPECT_EQ(detect("x.docx", std::string("\0\1\2", 3)).error().code, ErrorCode::malformed_input);
  EXPECT_EQ(detect("x", "").error().code, ErrorCode::malformed_input);
}

// The same sentence in the character sets that banks' files come in.
TEST(Charset, ReadsChineseAndJapanese) {
  const std::string sentence = "本行对人民币定期存款按年利率百分之二点五计息，利息到期一次支付，提前支取按活期利率计算。";
  for (const char* name : {"GB18030", "UTF-16LE", "UTF-16BE"}) {
    std::string bytes;
    std::u32string wide = text::to_utf32(sentence);
    if (std::string_view(name) == "GB18030") {
      bytes = "\xB1\xBE\xD0\xD0\xB6\xD4\xC8\xCB\xC3\xF1\xB1\xD2\xB6\xA8\xC6\xDA\xB4\xE6\xBF\xEE\xB0\xB4\xC4\xEA\xC0\xFB\xC2\xCA";
      EXPECT_EQ(to_utf8(bytes, ""), "本行对人民币定期存款按年利率");
      continue;
    }
    bool little = std::string_view(name) == "UTF-16LE";
    bytes = little ? "\xFF\xFE" : "\xFE\xFF";
    for (char32_t c : wide) {
      char low = static_cast<char>(c & 0xFF), high = static_cast<char>(c >> 8);
      bytes += little ? low : high;
      bytes += little ? high : low;
    }
    EXPECT_EQ(to_utf8(bytes, ""), sentence) << name;
  }
  EXPECT_EQ(to_utf8("\x93\xFA\x96\x7B\x8C\xEA\x82\xCC\x83\x65\x83\x4C\x83\x58\x83\x67\x82\xC5\x82\xB7", "Shift_JIS"), "日本語のテキストです");
  EXPECT_EQ(to_utf8("caf\xE9 cr\xE8me br\xFBl\xE9"
                    "e, tr\xE8s bon march\xE9",
                    ""),
            "café crème brûlée, très bon marché");
  EXPECT_EQ(to_utf8("\xEF\xBB\xBF" "x", ""), "x");
}

TEST(Charset, WhateverComesTheResultIsUtf8) {
  std::string bytes;
  for (int i = 0; i < 4096; ++i) bytes += static_cast<char>(i * 37 + i / 7);
  EXPECT_TRUE(text::is_valid_utf8(to_utf8(bytes, "")));
  EXPECT_TRUE(text::is_valid_utf8(to_utf8(bytes, "no-such-charset")));
  EXPECT_TRUE(text::is_valid_utf8(to_utf8("\xFF\xFE\x00\xD8", "")));
}

TEST(Text, FindsParagraphsHeadingsAndItems) {
  auto reading = must_read(Format::text, "Terms\n=====\n\nA deposit earns\ninterest daily.\n\n第一章 总则\n第一条 为了规范存款业务，制定本办法。\n\n- first\n- second\n");
  const auto& blocks = reading.document.blocks;
  ASSERT_GE(blocks.size(), 5u);
  EXPECT_EQ(blocks[0].kind, BlockKind::heading);
  EXPECT_EQ(blocks[0].text, "Terms");
  EXPECT_EQ(blocks[1].text, "A deposit earns interest daily.");
  EXPECT_EQ(blocks[2].kind, BlockKind::heading);
  EXPECT_EQ(blocks[3].text, "第一条 为了规范存款业务，制定本办法。");
}

TEST(Csv, SniffsDelimitersAndKeepsQuotedFields) {
  EXPECT_EQ(must_read(Format::csv, "Name;Fee\n\"Transfer; wire\";5,00\n\"say \"\"hi\"\"\";2,50\n").document.blocks.at(0).rows,
            (Rows{{"Name", "Fee"}, {"Transfer; wire", "5,00"}, {"say \"hi\"", "2,50"}}));
  EXPECT_EQ(must_read(Format::csv, "a\tb\n1\t2\n").document.blocks.at(0).rows, (Rows{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(must_read(Format::csv, "a,b\n\"two\nlines\",2\n").document.blocks.at(0).rows[1][0], "two lines");
  EXPECT_EQ(must_read(Format::csv, "Team,Wins\nBlues,13\n").document.blocks.at(0).header_rows, 1);
  EXPECT_EQ(must_read(Format::csv, "\"never closed,1\n2,3").document.blocks.size(), 1u);
}

TEST(Markdown, ReadsStructure) {
  auto reading = must_read(Format::markdown, "---\ntitle: Fee table\n---\n# Fees\n\nAll in **CNY**.\n\n1. one\n2. two\n   - inner\n\n| Item | Fee |\n|---|---|\n| Card | 10 |\n\n```\ncode\n```\n");
  const auto& blocks = reading.document.blocks;
  EXPECT_EQ(reading.document.title, "Fee table");
  ASSERT_EQ(blocks.size(), 7u);
  EXPECT_EQ(blocks[0].level, 1);
  EXPECT_EQ(blocks[1].text, "All in CNY.");
  EXPECT_EQ(blocks[3].text, "2. two");
  EXPECT_EQ(blocks[4].level, 2);
  EXPECT_EQ(blocks[5].rows, (Rows{{"Item", "Fee"}, {"Card", "10"}}));
  EXPECT_EQ(blocks[5].header_rows, 1);
  EXPECT_EQ(blocks[6].kind, BlockKind::code);
}

TEST(Html, ReadsWhatAReaderSees) {
  auto reading = must_read(Format::html,
                           "<html><head><title>Rates</title><style>p{}</style></head><body><nav>menu</nav><h2>Deposits</h2><p>One <b>year</b>: 2.5&nbsp;%</p>"
                           "<script>evil()</script><div style='display: none'>hidden</div><ul><li>a<ul><li>b</li></ul></li></ul><pre>x  y\nz</pre><footer>© bank</footer></body>");
  const auto& blocks = reading.document.blocks;
  EXPECT_EQ(reading.document.title, "Rates");
  ASSERT_EQ(blocks.size(), 6u);
  EXPECT_EQ(blocks[0].kind, BlockKind::heading);
  EXPECT_EQ(blocks[1].text, "One year: 2.5 %");
  EXPECT_EQ(blocks[3].level, 2);
  EXPECT_EQ(blocks[4].text, "x  y\nz");
  EXPECT_EQ(blocks[5].kind, BlockKind::footer);
}

TEST(Html, JoinsSignsOfFilingsTables) {
  auto reading = must_read(Format::html,
                           "<table><tr><td></td><td colspan=3>2023</td><td colspan=3>2022</td></tr><tr><td>Net loss</td><td>$</td><td>(12</td><td>)</td><td>$</td><td>(7</td><td>)</td></tr>"
                           "<tr><td>Margin</td><td></td><td>4.5</td><td>%</td><td></td><td>3.9</td><td>%</td></tr></table>");
  EXPECT_EQ(reading.document.blocks.at(0).rows, (Rows{{"", "2023", "2022"}, {"Net loss", "$(12)", "$(7)"}, {"Margin", "4.5%", "3.9%"}}));
}

TEST(Html, DeepNestingAndWildSpansEnd) {
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += "<div>";
  EXPECT_EQ(must_read(Format::html, deep + "core").document.blocks.at(0).text, "core");
  std::string tables;
  for (int i = 0; i < 20000; ++i) tables += "<table><tr><td>";
  EXPECT_FALSE(must_read(Format::html, tables + "core").document.blocks.empty());
  std::string wide = "<table>";
  for (int i = 0; i < 2000; ++i) wide += "<tr><td colspan=999999 rowspan=999999>x</td><td>y</td></tr>";
  auto reading = read(Format::html, "x", wide, {});
  if (!reading) {
    EXPECT_EQ(reading.error().code, ErrorCode::too_large);
  }
}

TEST(Html, LoadsNoEntities) {
  auto reading = must_read(Format::html, "<!DOCTYPE html [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><p>a&x;b</p>");
  for (const Block& block : reading.document.blocks) EXPECT_EQ(block.text.find("root:"), std::string::npos);
}

TEST(Email, ReadsNestedPartsCharsetsAndAttachments) {
  auto reading = must_read(Format::email,
                           "From: =?utf-8?B?5byg5LiJ?= <z@bank.example>\r\nTo: a@b\r\nSubject: =?utf-8?Q?Fee_=E2=82=AC5?=\r\n =?utf-8?Q?_now?=\r\nMIME-Version: 1.0\r\n"
                           "Content-Type: multipart/mixed; boundary=\"out\"\r\n\r\n--out\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\nContent-Type: text/plain\r\n\r\nplain\r\n"
                           "--in\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>rich =E2=82=AC</p>\r\n--in--\r\n"
                           "--out\r\nContent-Type: text/csv; name=\"r.csv\"\r\nContent-Disposition: attachment; filename*=utf-8''%E8%B4%B9.csv\r\nContent-Transfer-Encoding: base64\r\n\r\nYSxiCjEsMgo=\r\n--out--\r\n");
  EXPECT_EQ(reading.document.title, "Fee €5 now");
  ASSERT_EQ(reading.document.blocks.size(), 4u);
  EXPECT_EQ(reading.document.blocks[1].text, "From: 张三 <z@bank.example>");
  EXPECT_EQ(reading.document.blocks[3].text, "rich €");
  ASSERT_EQ(reading.attachments.size(), 1u);
  EXPECT_EQ(reading.attachments[0].name, "费.csv");
  EXPECT_EQ(reading.attachments[0].bytes, "a,b\n1,2\n");
}

TEST(Email, PartsInPartsEnd) {
  std::string mail = "From: a\nTo: b\nSubject: c\nContent-Type: multipart/mixed; boundary=b0\n\n";
  for (int i = 0; i < 1000; ++i) mail += "--b" + std::to_string(i) + "\nContent-Type: multipart/mixed; boundary=b" + std::to_string(i + 1) + "\n\n";
  auto reading = read(Format::email, "x", mail, {});
  ASSERT_FALSE(reading);
  EXPECT_EQ(reading.error().code, ErrorCode::too_large);
}

TEST(Headings, KnowsChineseAndEnglishForms) {
  EXPECT_EQ(heading_level("第三章 风险管理", 1, 1.0, false), 1);
  EXPECT_EQ(heading_level("一、公司基本情况", 1, 1.0, false), 2);
  EXPECT_EQ(heading_level("（二）主要财务指标", 1, 1.0, false), 3);
  EXPECT_EQ(heading_level("ITEM 8. FINANCIAL STATEMENTS", 1, 1.0, true), 2);
  EXPECT_EQ(heading_level("The rate is 5%.", 1, 1.0, false), 0);
  EXPECT_EQ(heading_level("1,234", 1, 2.0, true), 0);
  EXPECT_TRUE(is_list_item("• fee"));
  EXPECT_TRUE(is_list_item("(a) fee"));
  EXPECT_FALSE(is_list_item("1995. These are"));
  EXPECT_FALSE(is_list_item("J.P. Morgan"));
}

}  // namespace
}  // namespace heng::formats
