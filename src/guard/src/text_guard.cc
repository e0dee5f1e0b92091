#include "heng/guard/text_guard.h"

#include <fmt/core.h>

#include "heng/base/text.h"

namespace heng::guard {

namespace {

constexpr const char* version = "1";

bool is_key_character(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-'; }

GuardFinding finding(const std::string& text, const char* kind, const char* type, const char* rule, std::size_t begin, std::size_t end) {
  return {kind, type, rule, version, text::code_points(std::string_view(text).substr(0, begin)), text::code_points(std::string_view(text).substr(0, end))};
}

/// Keys of Heng ("heng_" and at least 16 key characters), of common services, and private keys in PEM.
void find_keys(const std::string& text, std::vector<GuardFinding>& out) {
  struct Prefix {
    std::string_view begin;
    std::size_t least;
    const char* type;
  };
  constexpr Prefix prefixes[] = {{"heng_", 16, "heng_key"}, {"sk-", 20, "api_key"}, {"AKIA", 16, "api_key"}, {"ghp_", 30, "api_key"}};
  for (const auto& prefix : prefixes)
    for (std::size_t at = text.find(prefix.begin); at != std::string::npos; at = text.find(prefix.begin, at + 1)) {
      if (at > 0 && is_key_character(text[at - 1])) continue;
      std::size_t end = at + prefix.begin.size();
      bool digit = false;
      while (end < text.size() && is_key_character(text[end])) digit = digit || (text[end] >= '0' && text[end] <= '9'), ++end;
      if (end - at - prefix.begin.size() < prefix.least || !digit) continue;
      out.push_back(finding(text, "secret", prefix.type, "secrets", at, end));
    }
  for (std::size_t at = text.find("-----BEGIN "); at != std::string::npos; at = text.find("-----BEGIN ", at + 1))
    if (text.find("PRIVATE KEY-----", at) - at < 48) out.push_back(finding(text, "secret", "private_key", "secrets", at, at + 11));
}

/// Letters and digits only, lower case: so that spacing or quoting a canary does not carry it out.
std::string squeezed(std::string_view text) {
  std::string out;
  for (const char c : text::lower(text::nfkc(text)))
    if (static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) out += c;
  return out;
}

}  // namespace

Result<std::unique_ptr<TextGuard>> TextGuard::create(TextGuardSettings settings) {
  if (settings.longest_input_bytes == 0 || settings.longest_output_bytes == 0)
    return Error(ErrorCode::invalid_argument, "a text limit of 0 bytes would refuse everything");
  for (const auto& canary : settings.canaries)
    if (!text::is_valid_utf8(canary) || squeezed(canary).size() < 8)
      return Error(ErrorCode::invalid_argument, "a canary needs at least 8 letters or digits");
  return std::unique_ptr<TextGuard>(new TextGuard(std::move(settings)));
}

TextGuard::TextGuard(TextGuardSettings settings) : settings_(std::move(settings)) {}
TextGuard::~TextGuard() = default;

Result<GuardVerdict> TextGuard::check_input(const Principal&, const std::string& text) const {
  GuardVerdict out;
  const auto deny = [&](const char* rule, const char* type, std::size_t at, std::string reason) {
    out.action = GuardAction::withhold;
    out.reason = std::move(reason);
    out.findings.push_back({"limits", type, rule, version, at, at});
    return out;
  };
  if (text.size() > settings_.longest_input_bytes)
    return deny("limits", "too_large", 0, fmt::format("the text has {} bytes, at most {} are taken: shorten it", text.size(), settings_.longest_input_bytes));
  if (const auto bad = text::first_invalid_utf8(text); bad != std::string_view::npos)
    return deny("encoding", "invalid_utf8", bad, fmt::format("the text is not valid UTF-8 at byte {}: send it as UTF-8", bad));
  std::size_t position = 0;
  for (std::size_t i = 0; i < text.size(); ++position) {
    const char32_t c = text::next(text, i);
    const bool control = (c < 0x20 && c != '\n' && c != '\r' && c != '\t') || (c >= 0x7F && c <= 0x9F);
    // tag characters and bidi overrides hide text from the reader
    const bool hidden = (c >= 0xE0000 && c <= 0xE007F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
    if (control || hidden)
      return deny("encoding", control ? "control_character" : "hidden_character", position,
                  fmt::format("the text holds the character U+{:04X} at position {}: remove it", static_cast<unsigned>(c), position));
  }
  return out;
}

Result<GuardVerdict> TextGuard::check_output(const Principal&, const std::string& text) const {
  GuardVerdict out;
  if (text.size() > settings_.longest_output_bytes) {
    out.action = GuardAction::withhold;
    out.reason = fmt::format("the answer has {} bytes, at most {} are released", text.size(), settings_.longest_output_bytes);
    return out;
  }
  if (!text::is_valid_utf8(text)) {
    out.action = GuardAction::withhold;
    out.reason = "the answer is not valid UTF-8";
    return out;
  }
  find_keys(text, out.findings);
  if (!settings_.canaries.empty()) {
    const std::string all = squeezed(text);
    for (const auto& canary : settings_.canaries)
      if (all.find(squeezed(canary)) != std::string::npos)
        out.findings.push_back(finding(text, "secret", "system_prompt", "canary", 0, text.size()));
  }
  if (!out.findings.empty()) {
    out.action = GuardAction::withhold;
    out.reason = "the answer holds a secret (" + out.findings.front().type + ") and is not released";
  }
  return out;
}

}  // namespace heng::guard
