// A small training on the real encoder: learn, save, load, extract, break.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "bert.h"
#include "heng/base/text.h"
#include "heng/insight_events/training.h"

namespace heng::insight_events {
namespace {

namespace fs = std::filesystem;

fs::path encoder_path() {
  const char* models = std::getenv("HENG_MODELS");
  return fs::path(models ? models : "") / "bge-small-zh-v1.5-f16.gguf";
}

/// A sentence from parts; a part with a role is a mention.
struct Part {
  std::string text, role;
};
EventRow row_of(const std::string& type, const std::vector<Part>& parts) {
  EventRow row;
  Event event{.type = type, .confidence = 1, .mentions = {}};
  for (const auto& part : parts) {
    const std::size_t begin = text::code_points(row.content);
    row.content += part.text;
    if (!part.role.empty()) event.mentions.push_back({part.text, begin, text::code_points(row.content), part.role});
  }
  if (!type.empty()) row.events.push_back(event);
  return row;
}

std::vector<EventRow> small_set() {
  std::vector<EventRow> rows;
  const std::vector<std::string> names{"远岑科技", "白鹿股份", "青禾集团", "云杉控股", "赤水实业", "北斗重工", "江月传媒", "松原药业"};
  const std::vector<std::string> numbers{"3.5亿元", "1200万元", "8亿美元", "2019年5月6日", "去年"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      const std::string &a = names[i], &b = names[(i + j + 1) % names.size()];
      rows.push_back(row_of("收购", {{a, "sub"}, {"拟以", ""}, {numbers[j], "money"}, {"收购", "trigger"}, {b, "obj"}, {"全部股权。", ""}}));
      rows.push_back(row_of("起诉", {{numbers[3 + j % 2], "date"}, {"，", ""}, {a, "sub"}, {"就合同纠纷", ""}, {"起诉", "trigger"}, {b, "obj"}, {"。", ""}}));
    }
    rows.push_back(row_of("", {{names[i] + "今日召开业绩说明会。", ""}}));
  }
  return rows;
}

class Extractor : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(encoder_path())) GTEST_SKIP() << "no " << encoder_path() << ": set HENG_MODELS";
    folder_ = fs::path(::testing::TempDir()) / "heng-events-test";
    fs::create_directories(folder_);
  }
  fs::path file() const { return folder_ / "small.events"; }
  /// Trained once for all tests of this program.
  const TrainReport& trained() {
    static const TrainReport report = [&] {
      TrainSettings settings;
      settings.head_epochs = 3;
      settings.epochs = 4;
      settings.batch = 8;
      settings.threads = 1;
      settings.frozen = 2;
      auto result = train_events("small", small_set(), {}, "abc", encoder_path(), file(), settings, [](const TrainProgress&) {}, {});
      EXPECT_TRUE(result.ok()) << result.error().message;
      return result.ok() ? std::move(*result) : TrainReport{};
    }();
    return report;
  }
  fs::path folder_;
};

TEST_F(Extractor, LearnsASmallSetAndReadsASentenceItHasNotSeen) {
  EXPECT_EQ(trained().lost_mentions, 0);
  const auto model = EventModel::load(file());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ((*model)->card().data_sha256, "abc");
  EXPECT_EQ((*model)->card().encoder_sha256.size(), 64u);
  const auto outcomes = (*model)->extract({{"1", "云杉控股拟以8亿美元收购白鹿股份全部股权。"}, {"2", ""}, {"3", "ab\xFF"}, {"4", std::string(longest_text + 1, 'x')}}, 0, 2, {});
  ASSERT_TRUE(outcomes.ok());
  ASSERT_EQ(outcomes->size(), 4u);
  ASSERT_TRUE((*outcomes)[0].ok());
  ASSERT_EQ((*outcomes)[0]->events.size(), 1u);
  const Event& event = (*outcomes)[0]->events[0];
  EXPECT_EQ(event.type, "收购");
  EXPECT_GT(event.confidence, 0.5);
  std::map<std::string, std::string> roles;
  for (const auto& m : event.mentions) roles[m.role] = m.word;
  EXPECT_EQ(roles["trigger"], "收购");
  EXPECT_EQ(roles["sub"], "云杉控股");
  EXPECT_EQ(roles["obj"], "白鹿股份");
  EXPECT_EQ((*outcomes)[1].error().message, "the text is empty");
  EXPECT_NE((*outcomes)[2].error().message.find("byte 2"), std::string::npos);
  EXPECT_NE((*outcomes)[3].error().message.find("1000001"), std::string::npos);
}

TEST_F(Extractor, ALongTextIsReadInPartsAndAnswersDoNotDependOnTheBatch) {
  trained();
  const auto model = EventModel::load(file());
  ASSERT_TRUE(model.ok());
  const std::string sentence = "去年，青禾集团就合同纠纷起诉北斗重工。";
  std::string text;
  for (int i = 0; i < 60; ++i) text += sentence;
  const auto one = (*model)->extract({{"", sentence}}, 0, 1, {});
  const auto many = (*model)->extract({{"", "短句。"}, {"", text}, {"", sentence}, {"", "另一句话。"}}, 0, 2, {});
  ASSERT_TRUE(one.ok() && many.ok());
  const auto &alone = (*one)[0]->events, &among = (*many)[2]->events;
  ASSERT_EQ(alone.size(), among.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    EXPECT_EQ(alone[i].mentions.size(), among[i].mentions.size());
    EXPECT_NEAR(alone[i].confidence, among[i].confidence, 1e-3);
  }
  const std::u32string wide = text::to_utf32(text);
  EXPECT_GT((*many)[1]->events.size(), 20u);
  for (const auto& event : (*many)[1]->events) {
    for (const auto& m : event.mentions) EXPECT_EQ(text::from_utf32(std::u32string_view(wide).substr(m.begin, m.end - m.begin)), m.word);
  }
}

TEST_F(Extractor, ABrokenFileIsRefused) {
  trained();
  std::ifstream in(file(), std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const fs::path broken = folder_ / "broken.events";
  auto error_of = [&](const std::string& bytes) {
    std::ofstream(broken, std::ios::binary) << bytes;
    const auto model = EventModel::load(broken);
    return model.ok() ? std::string("accepted") : std::string(to_string(model.error().code));
  };
  EXPECT_EQ(error_of(whole), "accepted");
  EXPECT_EQ(error_of(whole.substr(0, whole.size() - 7)), "corrupt");
  EXPECT_EQ(error_of(whole.substr(0, 40)), "corrupt");
  EXPECT_EQ(error_of(""), "corrupt");
  std::string changed = whole;
  changed[changed.size() / 2] ^= 1;
  EXPECT_EQ(error_of(changed), "corrupt");
  changed = whole;
  changed[7] = '9';
  EXPECT_EQ(error_of(changed), "unsupported");
  EXPECT_EQ(EventModel::load(folder_ / "none.events").error().code, ErrorCode::not_found);
}

TEST_F(Extractor, RefusesBeforeTimeIsWasted) {
  auto error_of = [&](const std::vector<EventRow>& rows, const fs::path& encoder) {
    const auto result = train_events("x", rows, {}, "", encoder, folder_ / "x.events", {}, [](const TrainProgress&) {}, {});
    return result.ok() ? std::string("trained") : result.error().message;
  };
  auto rows = small_set();
  EXPECT_NE(error_of({rows.begin(), rows.begin() + 5}, encoder_path()).find("5 rows are too few"), std::string::npos);
  rows.push_back(row_of("破产", {{"甲公司", ""}, {"破产", "trigger"}}));
  EXPECT_NE(error_of(rows, encoder_path()).find("\"破产\" has a single example"), std::string::npos);
  EXPECT_NE(error_of(small_set(), folder_ / "none.gguf").find("cannot be opened"), std::string::npos);
  EXPECT_NE(error_of(small_set(), encoder_path().parent_path() / "multilingual-e5-small-q4_0.gguf").find("word-piece"), std::string::npos);
}

TEST(EventRows, ABadLineSaysWhatIsWrong) {
  auto says = [](const std::string& line) {
    const auto row = parse_event_row(line);
    return row.ok() ? std::string("read") : row.error().message;
  };
  EXPECT_EQ(says(R"({"id":"1","content":"甲收购乙","events":[{"type":"收购","mentions":[{"word":"收购","span":[1,3],"role":"trigger"}]}]})"), "read");
  EXPECT_EQ(says(R"({"id":"1","content":"甲收购乙","events":[]})"), "read");
  EXPECT_EQ(says("{"), "not a JSON object");
  EXPECT_EQ(says(R"({"events":[]})"), "no \"content\"");
  EXPECT_NE(says(R"({"content":"甲"})").find("\"events\""), std::string::npos);
  EXPECT_NE(says(R"({"content":"甲收购乙","events":[{"type":"收购","mentions":[{"span":[1,9],"role":"trigger"}]}]})").find("outside the text of 4"), std::string::npos);
  EXPECT_NE(says(R"({"content":"甲收购乙","events":[{"type":"收购","mentions":[{"word":"购乙","span":[1,3],"role":"trigger"}]}]})").find("not \"购乙\""), std::string::npos);
  EXPECT_NE(says(R"({"content":"甲收购乙","events":[{"type":"收购","mentions":[]}]})").find("0 mentions with the role"), std::string::npos);
  EXPECT_EQ(says("\xFF"), "not UTF-8");
}

TEST(EventEvaluation, CountsDistinctMentionsAndMatchesEvents) {
  const EventRow row = row_of("收购", {{"甲", "sub"}, {"收购", "trigger"}, {"乙", "obj"}});
  Event guess = row.events[0];
  guess.mentions[2].end += 1;
  const Evaluation e = evaluate({row}, {{guess, guess}});
  EXPECT_EQ(e.types.f1(), 1.0);
  EXPECT_EQ(e.roles.right, 2);
  EXPECT_EQ(e.roles.wrong, 1);
  EXPECT_EQ(e.roles.missed, 1);
  EXPECT_EQ(e.mentions.right, 2);
  EXPECT_EQ(e.mentions.wrong, 4);
  EXPECT_EQ(e.arguments.right, 1);
}

TEST(WordPieces, CoverTheTextWithPositions) {
  if (!fs::exists(encoder_path())) GTEST_SKIP() << "no " << encoder_path() << ": set HENG_MODELS";
  const auto encoder = EncoderFile::open(encoder_path());
  ASSERT_TRUE(encoder.ok()) << encoder.error().message;
  const WordPiece words(encoder->vocabulary);
  const std::u32string text = U"2019年 ABC公司8.50%\U0001F600";
  std::string cut;
  for (const Piece& piece : words.split(text)) cut += text::from_utf32(text.substr(piece.begin, piece.end - piece.begin)) + "|";
  EXPECT_EQ(cut, "2019|年|ABC|公|司|8|.|50|%|\U0001F600|");
}

}  // namespace
}  // namespace heng::insight_events
