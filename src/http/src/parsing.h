#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "heng/base/error.h"
#include "heng/http/message.h"
#include "session.h"

namespace heng::http {

/// One request being parsed, from header to the end of its body. The HTTP grammar is Beast's; this adds the limits.
struct Session::Parsing {
  Parsing();
  ~Parsing();

  struct State {
    std::size_t consumed = 0;
    bool done = false;
    std::optional<Error> error;
    int status = 0;                       ///< Of the error.
  };
  State put_header(std::string_view bytes, std::size_t most);
  State put_body(std::string_view bytes, std::size_t most);
  bool is_done() const;                   ///< Nothing of the request is missing.
  bool is_large() const;                  ///< The body is worth asking about before it is read.
  std::size_t body_size() const;
  std::string take_body();

  std::string method() const;
  std::string_view target() const;
  Pairs headers() const;                  ///< Names in lower case.
  unsigned version() const;               ///< 10 or 11.
  bool keep_alive() const;
  std::optional<std::size_t> content_length() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::http
