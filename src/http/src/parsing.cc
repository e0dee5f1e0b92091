#include "parsing.h"

#include <fmt/format.h>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "heng/base/text.h"

namespace heng::http {

namespace beast_http = boost::beast::http;

namespace {

constexpr std::size_t large_body = 256 * 1024;

int status_of_parse_error(boost::system::error_code error) {
  if (error == beast_http::error::header_limit) return 431;
  if (error == beast_http::error::body_limit) return 413;
  if (error == beast_http::error::bad_version) return 505;
  return 400;
}

}  // namespace

struct Session::Parsing::Impl {
  beast_http::request_parser<beast_http::string_body> parser;
};

Session::Parsing::Parsing() : impl_(std::make_unique<Impl>()) {
  impl_->parser.body_limit(boost::none);
  impl_->parser.eager(false);
}
Session::Parsing::~Parsing() = default;

Session::Parsing::State Session::Parsing::put_header(std::string_view bytes, std::size_t most) {
  State state;
  auto& parser = impl_->parser;
  parser.header_limit(static_cast<std::uint32_t>(most));
  boost::system::error_code error;
  if (!bytes.empty()) state.consumed = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error == beast_http::error::need_more) error = {};
  if (!error && !parser.is_header_done() && bytes.size() - state.consumed > most) error = beast_http::error::header_limit;
  if (error) {
    state.status = status_of_parse_error(error);
    state.error = state.status == 431
                      ? Error(ErrorCode::too_large, fmt::format("the request's header is larger than {} bytes", most))
                      : Error(ErrorCode::malformed_input, "the bytes are not an HTTP/1.1 request: " + error.message());
    return state;
  }
  state.done = parser.is_header_done();
  return state;
}

Session::Parsing::State Session::Parsing::put_body(std::string_view bytes, std::size_t most) {
  State state;
  auto& parser = impl_->parser;
  parser.body_limit(most);
  parser.eager(true);
  boost::system::error_code error;
  if (!parser.is_done() && !bytes.empty())
    state.consumed = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
  if (error == beast_http::error::need_more) error = {};
  if (error) {
    state.status = status_of_parse_error(error);
    state.error = state.status == 413
                      ? Error(ErrorCode::too_large, fmt::format("the body is larger than the limit of {} bytes", most))
                      : Error(ErrorCode::malformed_input, "the body is not a valid HTTP/1.1 body: " + error.message());
    return state;
  }
  state.done = parser.is_done();
  return state;
}

bool Session::Parsing::is_done() const { return impl_->parser.is_done(); }

bool Session::Parsing::is_large() const {
  const auto length = content_length();
  return impl_->parser.chunked() || (length && *length > large_body);
}

std::size_t Session::Parsing::body_size() const { return impl_->parser.get().body().size(); }
std::string Session::Parsing::take_body() { return std::move(impl_->parser.get().body()); }

std::string Session::Parsing::method() const { return std::string(impl_->parser.get().method_string()); }

std::string_view Session::Parsing::target() const {
  const auto target = impl_->parser.get().target();
  return {target.data(), target.size()};
}

Pairs Session::Parsing::headers() const {
  Pairs out;
  for (const auto& field : impl_->parser.get()) {
    std::string name(field.name_string());
    for (auto& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    out.emplace_back(std::move(name), std::string(field.value()));
  }
  return out;
}

unsigned Session::Parsing::version() const { return impl_->parser.get().version(); }
bool Session::Parsing::keep_alive() const { return impl_->parser.keep_alive(); }

std::optional<std::size_t> Session::Parsing::content_length() const {
  const auto length = impl_->parser.content_length();
  if (!length) return std::nullopt;
  return static_cast<std::size_t>(*length);
}

}  // namespace heng::http
