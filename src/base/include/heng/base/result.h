#pragma once

#include <cassert>
#include <utility>
#include <variant>

#include "heng/base/error.h"

namespace heng {

/// A value or an Error. GCC 12 has no std::expected in C++20, so a small one of our own.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  Result(ErrorCode code, std::string message, std::string param = {})
      : state_(std::in_place_index<1>, Error(code, std::move(message), std::move(param))) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { assert(ok()); return std::get<0>(state_); }
  const T& value() const& { assert(ok()); return std::get<0>(state_); }
  T&& value() && { assert(ok()); return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { assert(!ok()); return std::get<1>(state_); }
  const Error& error() const& { assert(!ok()); return std::get<1>(state_); }
  Error&& error() && { assert(!ok()); return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT
  Result(ErrorCode code, std::string message, std::string param = {})
      : error_(code, std::move(message), std::move(param)), ok_(false) {}

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  void value() const { assert(ok_); }
  Error& error() & { assert(!ok_); return error_; }
  const Error& error() const& { assert(!ok_); return error_; }
  Error&& error() && { assert(!ok_); return std::move(error_); }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace heng

/// Evaluates a Result: yields its value, or returns its error from the enclosing function.
/// `auto x = HENG_TRY(f());` — for Result<void>, `HENG_TRY(g());`.
#define HENG_TRY(expression)                                         \
  ({                                                                 \
    auto heng_try_result = (expression);                             \
    if (!heng_try_result.ok()) [[unlikely]]                          \
      return std::move(heng_try_result).error();                     \
    std::move(heng_try_result).value();                              \
  })
