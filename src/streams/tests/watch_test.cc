#include "heng/streams/watch.h"

#include <sys/wait.h>

#include <random>
#include <sstream>
#include <thread>

#include "fixture.h"
#include "heng/base/hash.h"

namespace heng::streams {
namespace {

class WatchTest : public StreamTest {
 protected:
  void SetUp() override {
    StreamTest::SetUp();
    in = folder / "in";
    std::filesystem::create_directory(in);
  }
  WatchSettings settings() {
    WatchSettings out;
    out.stream = "news";
    out.tasks = {"tone"};
    out.folder = in;
    out.out = folder / "out.jsonl";
    out.item_json = [](const StreamItem& item) { return "{\"number\":" + std::to_string(item.number) + ",\"stream\":\"" + item.stream + "\",\"sha\":\"" + item.sha256 + "\"}"; };
    out.once = true;
    out.batch_messages = 7;
    return out;
  }
  WatchReport run() {
    auto done = watch(*engine, settings(), {}, {});
    EXPECT_TRUE(done.ok()) << done.error().message;
    return done.ok() ? *done : WatchReport{};
  }
  std::vector<std::string> lines(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::vector<std::string> out;
    for (std::string line; std::getline(file, line);) out.push_back(line);
    return out;
  }
  void append(const std::string& name, const std::string& bytes) { std::ofstream(in / name, std::ios::app) << bytes; }
  std::filesystem::path in;
};

TEST_F(WatchTest, ReadsFilesAndWhatIsAppended) {
  append("a.jsonl", "{\"text\":\"first 亏损\"}\nnot json\n\n{\"text\":\"second\"}\n");
  append("b.txt", "plain third\n{\"text\":\"fourth\"}\n");
  append("c.csv", "ignored\n");
  std::vector<std::string> rejected;
  auto done = watch(*engine, settings(), [&](const WatchReport&, const std::vector<std::string>& reasons) { rejected.insert(rejected.end(), reasons.begin(), reasons.end()); }, {});
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->accepted, 4);
  EXPECT_EQ(done->rejected, 1);
  ASSERT_EQ(rejected.size(), 1u);
  EXPECT_TRUE(rejected[0].starts_with("a.jsonl:2: ")) << rejected[0];
  EXPECT_EQ(items()[0].id, "a.jsonl:1");
  append("a.jsonl", "{\"text\":\"fifth\"}\n");
  EXPECT_EQ(run().accepted, 1);
  EXPECT_EQ(run().messages, 0);
  EXPECT_EQ(lines(folder / "out.jsonl").size(), 5u);
}

TEST_F(WatchTest, AnotherFileUnderTheNameBeginsAnew) {
  append("a.txt", "one\ntwo\n");
  run();
  std::filesystem::remove(in / "a.txt");
  append("a.txt", "three\nfour\nfive\n");
  EXPECT_EQ(run().accepted, 3);
  append("a.txt", "six\n");
  EXPECT_EQ(run().accepted, 1);
}

TEST_F(WatchTest, AnOverlongLineIsRejectedAndTheRestRead) {
  append("a.txt", std::string(2'500'000, 'x') + "\nshort\n");
  const auto done = run();
  EXPECT_EQ(done.accepted, 1);
  EXPECT_EQ(done.rejected, 1);
}

TEST_F(WatchTest, FollowsUntilStopped) {
  auto s = settings();
  s.once = false;
  std::stop_source stop;
  std::thread thread([&] { EXPECT_TRUE(watch(*engine, s, {}, stop.get_token()).ok()); });
  append("a.txt", "half ");
  usleep(100'000);
  EXPECT_TRUE(items().empty());   // the line is not whole
  append("a.txt", "line\n");
  for (int i = 0; i < 100 && items().empty(); ++i) usleep(20'000);
  ASSERT_EQ(items().size(), 1u);
  EXPECT_EQ(items()[0].text, "half line");
  stop.request_stop();
  thread.join();
}

TEST_F(WatchTest, ReadsAPipe) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::thread writer([&] {
    const std::string text = "{\"text\":\"first\"}\nplain second\nlast without end";
    EXPECT_EQ(::write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::close(ends[1]);
  });
  auto s = settings();
  s.folder.clear();
  s.descriptor = ends[0];
  const auto done = watch(*engine, s, {}, {});
  writer.join();
  ::close(ends[0]);
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(done->accepted, 3);
}

TEST_F(WatchTest, RefusesAFileThatIsNotItsOutput) {
  std::ofstream(folder / "out.jsonl") << "{\"other\":1}\n";
  append("a.txt", "one\n");
  EXPECT_EQ(watch(*engine, settings(), {}, {}).error().code, ErrorCode::conflict);
  auto s = settings();
  s.folder = folder / "nowhere";
  EXPECT_EQ(watch(*engine, s, {}, {}).error().code, ErrorCode::not_found);
}

/// The messages of the kill test: fresh ones, exact copies and near copies, in two files.
void write_messages(const std::filesystem::path& in) {
  std::ofstream a(in / "a.jsonl"), b(in / "b.txt");
  for (int i = 0; i < 300; ++i) {
    const std::string body = "第" + std::string(static_cast<std::size_t>(i % 17 + 1), static_cast<char>('a' + i % 26)) + sha256_hex(std::to_string(i)).substr(0, 30) + "公司发布关于业绩变动的公告" + (i % 3 ? "亏损" : "增长");
    a << "{\"text\":\"" << body << "\",\"published\":" << 1'779'990'000 + i << "}\n";
    if (i % 5 == 0) a << "{\"text\":\"" << body << "\"}\n";
    if (i % 7 == 0) b << "转：" << body << "\n";
    b << "plain " << i << " " << sha256_hex("b" + std::to_string(i)) << "\n";
  }
}

constexpr const char* counting_rule = "[[rule]]\nid = \"n\"\nkey = \"stream\"\ncount = 5\nwindow = \"60s\"\ncooldown = \"30s\"\nwhen = { label = { is = [\"negative\"] } }\n";

/// Everything that must be the same however often the run was killed.
std::string state(StreamEngine& engine) {
  std::ostringstream out;
  ItemQuery query;
  query.after = 0;
  query.limit = 100'000;
  query.duplicates = true;
  const auto items = engine.items(person(), query).value();
  for (const auto& item : items)
    out << item.number << ' ' << item.id << ' ' << item.sha256 << ' ' << item.duplicate_of << ' ' << item.copies << ' ' << item.near_copies << ' ' << (item.labels.empty() ? "" : item.labels[0].label) << '\n';
  const auto alerts = engine.alerts(person(), AlertQuery{.after = 0, .limit = 10'000}).value();
  for (const auto& alert : alerts) {
    out << "alert " << alert.id << ' ' << alert.rule << ' ' << alert.count << ' ' << alert.suppressed << ' ' << alert.window_from_ms << ' ' << alert.window_to_ms;
    for (const auto number : alert.items) out << ' ' << number;
    out << '\n';
  }
  const auto info = engine.streams(person()).value().at(0);
  out << info.items << ' ' << info.duplicates << ' ' << info.near_duplicates << '\n';
  return out.str();
}

TEST_F(WatchTest, KilledAtRandomItEndsAsIfItNeverWas) {
  write_messages(in);
  rules(counting_rule);
  run();
  const std::string wanted = state(*engine);
  const auto wanted_out = lines(folder / "out.jsonl");
  ASSERT_GT(alerts().size(), 3u);
  ASSERT_GT(wanted_out.size(), 550u);

  engine.reset();
  pool.reset();
  for (const char* name : {"streams.db", "streams.db-wal", "streams.db-shm", "out.jsonl"}) std::filesystem::remove(folder / name);
  std::mt19937 random(20261124);
  int kills = 0, runs = 0;
  for (bool ended = false; !ended && runs < 400; ++runs) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      open();
      const auto done = engine ? watch(*engine, settings(), {}, {}) : Result<WatchReport>(ErrorCode::internal, "not open");
      _exit(done.ok() ? 0 : 1);
    }
    usleep(10'000 + random() % 60'000);
    ::kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) ++kills;
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    ended = !WIFSIGNALED(status);
  }
  RecordProperty("kills", kills);
  std::printf("killed %d times in %d runs\n", kills, runs);
  EXPECT_GE(kills, 3);
  open();
  run();   // where the last run was killed after it was done, this finds nothing
  EXPECT_EQ(state(*engine), wanted);
  EXPECT_EQ(lines(folder / "out.jsonl"), wanted_out);
}

}  // namespace
}  // namespace heng::streams
