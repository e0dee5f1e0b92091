#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <thread>

#include "../src/webhook.h"
#include "fixture.h"
#include "heng/base/clock.h"

namespace heng::streams {
namespace {

constexpr const char* names = R"(
[[watch]]
name = "贵州茅台"
code = "600519.SH"
aliases = ["茅台"]
[[watch]]
name = "平安银行"
code = "000001.SZ"
)";

std::string three(const std::string& more = "") {
  return std::string(names) + "[[rule]]\nid = \"three\"\nseverity = \"high\"\nkey = \"company\"\ncount = 3\nwindow = \"1h\"\nwhen = { label = { task = \"tone\", is = [\"negative\"], confidence = 0.7 } }\n" + more;
}

class AlertTest : public StreamTest {
 protected:
  /// A message of `minute`s after a fixed hour.
  void say(const std::string& text, int minute) {
    const std::int64_t at = 1'779'990'000'000 + minute * 60'000LL;
    push("{\"text\":\"" + text + "\",\"published\":" + std::to_string(at) + "}");
  }
};

TEST_F(AlertTest, ThreeNegativeItemsOnOneCompanyWithinAnHour) {
  rules(three());
  say("茅台渠道出现亏损", 0);
  say("平安银行一季度亏损", 5);
  say("茅台的系列酒也亏损", 20);
  EXPECT_TRUE(alerts().empty());
  say("茅台增长良好", 30);
  say("茅台年内第三次亏损", 60);   // exactly an hour after the first
  ASSERT_EQ(alerts().size(), 1u);
  const auto alert = alerts()[0];
  EXPECT_EQ(alert.key, "贵州茅台");
  EXPECT_EQ(alert.key_id, "600519.SH");
  EXPECT_EQ(alert.count, 3);
  EXPECT_EQ(alert.items, (std::vector<std::int64_t>{1, 3, 5}));
  EXPECT_EQ(alert.window_to_ms - alert.window_from_ms, 3'600'000);
}

TEST_F(AlertTest, ItemsTooFarApartDoNotCount) {
  rules(three());
  say("茅台渠道出现亏损", 0);
  say("茅台的系列酒也亏损", 30);
  say("茅台年内第三次亏损", 61);
  EXPECT_TRUE(alerts().empty());
}

TEST_F(AlertTest, LateItemsCountUntilTheyAreTooLate) {
  rules(three("lateness = \"50m\"\n"));
  say("茅台渠道出现亏损", 0);
  say("茅台的系列酒也亏损", 40);
  say("茅台早些时候又亏损", 20);   // twenty minutes late: counts
  EXPECT_EQ(alerts().size(), 1u);
  rules(three("lateness = \"1m\"\n"));
  say("平安银行一季度亏损", 100);
  say("平安银行二季度亏损", 110);
  say("平安银行零季度亏损", 105);  // five minutes late where one is allowed
  EXPECT_EQ(alerts().size(), 1u);
}

TEST_F(AlertTest, CopiesAreOneItem) {
  rules(three());
  const std::string text = "贵州茅台酒股份有限公司发布公告称公司部分渠道在本报告期内出现较大亏损，董事会已要求管理层限期整改";
  say(text, 0);
  say("快讯！" + text, 1);
  say(text, 2);
  say(text + "！！！", 3);
  EXPECT_TRUE(alerts().empty());
}

TEST_F(AlertTest, CooldownSuppressesAndCounts) {
  rules(three("cooldown = \"2h\"\n"));
  for (int i = 0; i < 6; ++i) say("茅台第" + std::to_string(i) + "次亏损", i);
  ASSERT_EQ(alerts().size(), 1u);
  EXPECT_EQ(alerts()[0].suppressed, 3);
  for (int i = 0; i < 3; ++i) say("茅台后来第" + std::to_string(i) + "次亏损", 130 + i);
  EXPECT_EQ(alerts().size(), 2u);
}

TEST_F(AlertTest, FraudAboutAWatchedName) {
  rules(std::string(names) + "[[rule]]\nid = \"fraud\"\nseverity = \"critical\"\nwhen = { event = { type = [\"fraud\"], confidence = 0.5 }, watched = true }\n");
  push("{\"text\":\"茅台造假\"}", {"events"});
  push("{\"text\":\"某公司造假，茅台未受影响\"}", {"events"});   // the event names another
  ASSERT_EQ(alerts().size(), 1u);
  EXPECT_EQ(alerts()[0].severity, "critical");
}

TEST_F(AlertTest, WordsSourcesAndKeys) {
  rules("[[rule]]\nid = \"words\"\nkey = \"source\"\nwhen = { source = [\"wire\"], keywords = { any = [\"Fraud\"], none = [\"denies\"] } }\n");
  push("{\"text\":\"FRAUD at a bank\",\"source\":\"wire\"}\n{\"text\":\"fraud there, bank denies\",\"source\":\"wire\"}\n{\"text\":\"fraud elsewhere\",\"source\":\"blog\"}\n{\"text\":\"defrauded\",\"source\":\"wire\"}", {});
  ASSERT_EQ(alerts().size(), 1u);
  EXPECT_EQ(alerts()[0].key, "wire");
}

TEST_F(AlertTest, AcknowledgingIsRecordedAndOnlyOnce) {
  rules("[[rule]]\nid = \"w\"\nwhen = { keywords = { any = [\"亏损\"] } }\n");
  say("茅台亏损", 0);
  EXPECT_EQ(engine->acknowledge(person("x", "other"), 1, "seen").error().code, ErrorCode::not_found);
  EXPECT_EQ(engine->acknowledge(person("x", "default", {"guest"}), 1, "seen").error().code, ErrorCode::permission_denied);
  EXPECT_EQ(engine->acknowledge(person(), 1, "  ").error().code, ErrorCode::invalid_argument);
  audit.full = true;
  EXPECT_FALSE(engine->acknowledge(person(), 1, "seen").ok());
  EXPECT_EQ(alerts()[0].state, AlertState::open);   // without a record it does not count
  audit.full = false;
  const auto done = engine->acknowledge(person("ann"), 1, "called the desk").value();
  EXPECT_EQ(done.acknowledged_by, "ann");
  EXPECT_EQ(audit.notes.back(), "alert.ack alert:1 called the desk");
  EXPECT_NE(engine->acknowledge(person("bob"), 1, "me too").error().message.find("ann"), std::string::npos);
  EXPECT_TRUE(engine->alerts(person(), AlertQuery{.state = AlertState::open}).value().empty());
}

TEST_F(AlertTest, WaitingReadersHearOfNewOnes) {
  rules("[[rule]]\nid = \"w\"\nwhen = { keywords = { any = [\"亏损\"] } }\n");
  std::thread later([&] {
    usleep(50'000);
    say("茅台亏损", 0);
  });
  const auto began = std::chrono::steady_clock::now();
  const auto heard = engine->wait_for_alerts(person(), 0, std::chrono::seconds(5), {}).value();
  later.join();
  EXPECT_EQ(heard.size(), 1u);
  EXPECT_LT(elapsed_ms(began), 2000);
  EXPECT_TRUE(engine->wait_for_alerts(person(), 1, std::chrono::milliseconds(10), {}).value().empty());
  EXPECT_TRUE(engine->wait_for_alerts(person("x", "other"), 0, std::chrono::milliseconds(10), {}).value().empty());
}

/// Answers the requests of one test and keeps them.
class Receiver {
 public:
  Receiver() : acceptor_(io_, {boost::asio::ip::make_address("127.0.0.1"), 0}), port(acceptor_.local_endpoint().port()) {}
  boost::beast::http::request<boost::beast::http::string_body> answer(int status) {
    namespace http = boost::beast::http;
    boost::asio::ip::tcp::socket socket(io_);
    acceptor_.accept(socket);
    boost::beast::flat_buffer buffer;
    http::request<http::string_body> request;
    http::read(socket, buffer, request);
    http::response<http::string_body> response(static_cast<http::status>(status), 11);
    if (status == 302) response.set(http::field::location, "/elsewhere");
    response.prepare_payload();
    http::write(socket, response);
    return request;
  }

 private:
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;

 public:
  const std::uint16_t port;
};

TEST_F(AlertTest, WebhooksAreSignedAndTriedAgainAndFilesAppended) {
  Receiver receiver;
  ::setenv("HENG_TEST_SECRET", "s3cret", 1);
  rules("[webhooks]\nallow = [\"127.0.0.1\"]\n[[delivery]]\nname = \"desk\"\nkind = \"webhook\"\nsecret_env = \"HENG_TEST_SECRET\"\nurl = \"http://127.0.0.1:" + std::to_string(receiver.port) +
        "/in\"\n[[delivery]]\nname = \"file\"\nkind = \"file\"\npath = \"alerts.jsonl\"\n[[rule]]\nid = \"w\"\ndeliver = [\"desk\", \"file\"]\nwhen = { keywords = { any = [\"亏损\"] } }\n");
  say("茅台亏损", 0);
  std::vector<boost::beast::http::request<boost::beast::http::string_body>> got;
  std::thread thread([&] { got.push_back(receiver.answer(503)); });
  EXPECT_EQ(engine->deliver_due({}).value(), 2);
  thread.join();
  EXPECT_EQ(engine->waiting_deliveries().value(), 1);   // the file is done
  EXPECT_EQ(engine->deliver_due({}).value(), 0);        // not yet
  clock.now += 2'000;
  thread = std::thread([&] { got.push_back(receiver.answer(200)); });
  EXPECT_EQ(engine->deliver_due({}).value(), 1);
  thread.join();
  EXPECT_EQ(engine->waiting_deliveries().value(), 0);
  ASSERT_EQ(got.size(), 2u);
  const std::string body = got[1].body(), signature(got[1]["X-Heng-Signature"]);
  EXPECT_EQ(body, "{\"id\":1}");
  EXPECT_EQ(signature, sign("s3cret", clock.now / 1000, body));
  EXPECT_EQ(got[1]["X-Heng-Alert"], "1");
  std::ifstream file(folder / "alerts.jsonl");
  std::string line;
  ASSERT_TRUE(std::getline(file, line));
  EXPECT_EQ(line, "{\"id\":1}");
  EXPECT_FALSE(std::getline(file, line));
}

TEST_F(AlertTest, RedirectsAreNotFollowed) {
  Receiver receiver;
  ::setenv("HENG_TEST_SECRET", "s3cret", 1);
  rules("[webhooks]\nallow = [\"localhost\"]\n[[delivery]]\nname = \"desk\"\nkind = \"webhook\"\nsecret_env = \"HENG_TEST_SECRET\"\nurl = \"http://localhost:" + std::to_string(receiver.port) +
        "/in\"\n[[rule]]\nid = \"w\"\ndeliver = [\"desk\"]\nwhen = { keywords = { any = [\"亏损\"] } }\n");
  say("茅台亏损", 0);
  std::thread thread([&] { receiver.answer(302); });
  EXPECT_EQ(engine->deliver_due({}).value(), 1);
  thread.join();
  EXPECT_EQ(engine->waiting_deliveries().value(), 0);
  auto reader = pool->reader();
  EXPECT_EQ((*reader)->query_integer("SELECT count(*) FROM delivery WHERE failed = 1 AND error LIKE '%redirects%'").value(), 1);
}

}  // namespace
}  // namespace heng::streams
