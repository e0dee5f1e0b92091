#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "heng/http/message.h"
#include "heng/http/multipart.h"
#include "heng/http/target.h"
#include "router.h"

namespace heng::http {
namespace {

using ::testing::HasSubstr;

std::string form(const std::string& parts) { return parts + "--xYz--\r\n"; }
const std::string form_type = "multipart/form-data; boundary=\"xYz\"";

TEST(Multipart, ReadsPartsWithTheirBytesUntouched) {
  const std::string bytes("\x00\r\n--xY\xff", 8);
  const auto parts = parse_multipart(form_type, "preamble\r\n" + form("--xYz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a;\\\"b.pdf\"\r\n"
                                     "Content-Type: application/pdf\r\n\r\n" + bytes + "\r\n--xYz\r\ncontent-disposition: form-data; name=readers\r\n\r\n\r\n"));
  ASSERT_TRUE(parts.ok()) << parts.error().message;
  ASSERT_EQ(parts->size(), 2u);
  EXPECT_EQ((*parts)[0].filename, "a;\"b.pdf");
  EXPECT_EQ((*parts)[0].media_type, "application/pdf");
  EXPECT_EQ((*parts)[0].content, bytes);
  EXPECT_EQ((*parts)[1].name, "readers");
  EXPECT_EQ((*parts)[1].content, "");
}

TEST(Multipart, RefusesBrokenForms) {
  EXPECT_FALSE(parse_multipart("multipart/form-data", form("")).ok());
  EXPECT_FALSE(parse_multipart("application/json", form("")).ok());
  EXPECT_FALSE(parse_multipart(form_type, "").ok());
  EXPECT_FALSE(parse_multipart(form_type, "--xYz").ok());
  EXPECT_FALSE(parse_multipart(form_type, "--xYz\r\nA: b\r\n\r\ncut off").ok());
  EXPECT_FALSE(parse_multipart(form_type, form("--xYz\r\nno colon\r\n\r\nx\r\n")).ok());
  EXPECT_FALSE(parse_multipart(form_type, form("--xYz\r\nContent-Disposition: form-data; name=\"\xff\"\r\n\r\nx\r\n")).ok());
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "--xYz\r\n\r\nx\r\n";
  EXPECT_EQ(parse_multipart(form_type, form(many)).error().code, ErrorCode::too_large);
}

TEST(Target, KeepsEncodedSlashesInTheirSegment) {
  const auto target = parse_target("/v1/models/heng%2Fkb%3Ax/?a=1&b&&c=%26#frag");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->segments, (std::vector<std::string>{"v1", "models", "heng/kb:x", ""}));
  EXPECT_EQ(target->query, (Pairs{{"a", "1"}, {"b", ""}, {"c", "&"}}));
  EXPECT_FALSE(parse_target("no-slash").ok());
  std::string deep;
  for (int i = 0; i < 70; ++i) deep += "/x";
  EXPECT_EQ(parse_target(deep).error().code, ErrorCode::too_large);
  EXPECT_FALSE(parse_target("/a%").ok());
  EXPECT_FALSE(parse_target("/a?b=%4").ok());
}

TEST(Router, PrefersLiteralsAndTellsMethods) {
  std::vector<Route> routes;
  for (const auto& [method, pattern] : std::vector<std::pair<std::string, std::string>>{
           {"GET", "/{path...}"}, {"GET", "/v1/audit/{index}"}, {"GET", "/v1/audit/checkpoint"}, {"DELETE", "/v1/kb/{kb}"},
           {"GET", "/v1/models/{model...}"}, {"GET", "/v1/models"}})
    routes.push_back({method, pattern, nullptr, 0});
  const Router router(std::move(routes));
  const auto pattern = [&](const char* method, const char* target) {
    const auto match = router.match(method, parse_target(target)->segments);
    return match.route != nullptr ? match.route->pattern : "none: " + match.allowed;
  };
  EXPECT_EQ(pattern("GET", "/v1/audit/checkpoint"), "/v1/audit/checkpoint");
  EXPECT_EQ(pattern("HEAD", "/v1/audit/7"), "/v1/audit/{index}");
  EXPECT_EQ(pattern("GET", "/v1/kb/x"), "none: DELETE, OPTIONS");
  EXPECT_EQ(pattern("GET", "/v1/models/heng/kb:x"), "/v1/models/{model...}");
  EXPECT_EQ(pattern("POST", "/v1/models/a"), "none: GET, HEAD, OPTIONS");
  EXPECT_EQ(pattern("GET", "/anything/at/all"), "/{path...}");
  EXPECT_EQ(pattern("POST", "/anything"), "none: ");
  EXPECT_EQ(pattern("GET", "/"), "/{path...}");
}

TEST(Errors, EveryCodeHasAStatusAndTheSharedShape) {
  for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {
    const Error error(static_cast<ErrorCode>(i), "m", "p");
    const auto status = status_of(error.code);
    EXPECT_GE(status, 400);
    EXPECT_STRNE(reason_of(status), "Error") << status;
    EXPECT_THAT(error_body(error, RequestId("r")), HasSubstr(R"("request_id":"r")"));
  }
  Error limited(ErrorCode::rate_limited, "later");
  limited.retry_after_ms = 1500;
  EXPECT_EQ(error_response(limited, {}).headers.back().second, "2");
  EXPECT_THAT(error_body(Error(ErrorCode::internal, "bad \xff byte"), {}), HasSubstr("\xef\xbf\xbd"));
}

}  // namespace
}  // namespace heng::http
