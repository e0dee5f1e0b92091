#include "password.h"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>

#include "heng/base/text.h"

namespace heng::users {
namespace {

constexpr std::size_t least_characters = 12, most_characters = 256;

/// What remains of a password that is padded to the length: the usual words that people reach twelve characters with.
constexpr std::array<std::string_view, 24> usual = {
    "password", "passw0rd", "123456", "qwerty", "abc123", "letmein", "welcome", "admin", "iloveyou", "monkey", "dragon", "111111", "000000",
    "changeme", "secret", "woaini", "zxcvbn", "asdfgh", "1q2w3e", "football", "sunshine", "master", "hello", "test"};

/// Without what people add to a usual word: digits and signs at its end.
std::string_view core(std::string_view lower) {
  while (!lower.empty() && !(lower.back() >= 'a' && lower.back() <= 'z')) lower.remove_suffix(1);
  return lower;
}

/// "abcabcabc": a short piece again and again.
bool repeats(std::string_view s) {
  for (std::size_t piece = 1; piece <= 4; ++piece)
    if (s.size() > piece && std::equal(s.begin() + static_cast<std::ptrdiff_t>(piece), s.end(), s.begin())) return true;
  return false;
}

bool counts(std::string_view s) {
  std::size_t steps = 0;
  for (std::size_t i = 1; i < s.size(); ++i) steps += s[i] - s[i - 1] == 1 || s[i - 1] - s[i] == 1 || (s[i - 1] == '9' && s[i] == '0');
  return steps + 2 >= s.size();
}

}  // namespace

Result<void> check_password(std::string_view password, std::string_view user) {
  const auto weak = [](const std::string& why) { return Error(ErrorCode::invalid_argument, "the password " + why, "password"); };
  if (!text::is_valid_utf8(password)) return weak("is not UTF-8");
  const std::size_t length = text::code_points(password);
  if (length < least_characters || length > most_characters) return weak(fmt::format("has {} characters; it must have {} to {}", length, least_characters, most_characters));
  const std::string lower = text::lower(password);
  if (repeats(lower) || counts(lower)) return weak("is a repetition or a sequence");
  if (user.size() >= 3 && lower.find(text::lower(user)) != std::string::npos) return weak("holds the user's name");
  for (const auto word : usual)
    if (core(lower) == word || (lower.starts_with(word) && lower.size() < word.size() + 8 && core(lower.substr(word.size())).empty()))
      return weak("is one of those that are tried first");
  return {};
}

Result<std::string> hash_password(std::string_view password) {
  if (sodium_init() < 0) return Error(ErrorCode::internal, "libsodium could not be started");
  std::array<char, crypto_pwhash_STRBYTES> out{};
  if (crypto_pwhash_str(out.data(), password.data(), password.size(), crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
    return Error(ErrorCode::overloaded, "there is no memory to hash a password; try again");
  return std::string(out.data());
}

bool verify_password(const std::string& hash, std::string_view password) {
  return sodium_init() >= 0 && hash.size() < crypto_pwhash_STRBYTES && crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0;
}

bool needs_rehash(const std::string& hash) {
  return crypto_pwhash_str_needs_rehash(hash.c_str(), crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0;
}

}  // namespace heng::users
