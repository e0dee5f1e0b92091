#include "heng/guard_pii/masker.h"

#include <openssl/hmac.h>

#include <algorithm>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/guard_text/normalise.h"

namespace heng::guard_pii {
namespace {

constexpr const char* version = "1";

bool counts(char32_t c) { return c != U' ' && c != U'-' && c != U'\n' && c != U'\t' && c != U'.' && c != U'(' && c != U')'; }

/// '*' for each character, separators kept, the first and last few left.
std::string starred(std::string_view value, int keep_first, int keep_last) {
  std::u32string wide = text::to_utf32(value);
  const auto total = static_cast<int>(std::count_if(wide.begin(), wide.end(), counts));
  while (keep_first > 0 && (keep_first + keep_last) * 3 > total * 2) --keep_first;  // a third at least is hidden
  while (keep_last > 0 && (keep_first + keep_last) * 3 > total * 2) --keep_last;
  int at = 0;
  for (char32_t& c : wide) {
    if (!counts(c)) continue;
    if (at >= keep_first && at < total - keep_last) c = U'*';
    ++at;
  }
  return text::from_utf32(wide);
}

std::string starred_mail(std::string_view value, int keep_first) {
  const auto sign = value.find('@');
  if (sign == std::string_view::npos) return starred(value, 0, 0);
  std::u32string wide = text::to_utf32(value.substr(0, sign));
  for (std::size_t i = static_cast<std::size_t>(keep_first); i < wide.size(); ++i) wide[i] = U'*';
  if (wide.size() <= static_cast<std::size_t>(keep_first)) wide.assign(wide.size(), U'*');
  return text::from_utf32(wide) + std::string(value.substr(sign));
}

/// Every character, separators too: for secrets and for what was encoded.
std::string blotted(std::string_view value) {
  std::u32string wide = text::to_utf32(value);
  for (char32_t& c : wide)
    if (c != U'\n') c = U'*';
  return text::from_utf32(wide);
}

/// The value without separators, folded, upper case: what a token is made of.
std::string canonical(std::string_view value) {
  std::string out;
  for (const char c : guard_text::Normalised(value).view())
    if (c != ' ' && c != '-' && c != '\n') out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

std::string hmac(std::string_view key, std::string_view message) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(message.data()), message.size(), out, &size);
  return {reinterpret_cast<const char*>(out), size};
}

std::string upper_name(Type type) {
  std::string out(type_name(type));
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
  return out;
}

}  // namespace

Result<Masker> Masker::create(const Policy& policy, std::string key) {
  if (key.size() < 16) return Error(ErrorCode::invalid_argument, "a masking key needs at least 16 bytes");
  return Masker(policy, std::move(key));
}

std::string Masker::token(Type type, std::string_view value) const {
  const auto mac = hmac(key_, std::string(type_name(type)) + '\0' + canonical(value));
  return "[" + upper_name(type) + ":" + to_hex(mac.data(), 10) + "]";
}

std::string Masker::replacement(const Match& match, std::string_view value, Action action) const {
  const TypeRule& rule = policy_->of(match.type);
  const bool encoded = match.rule.find('+') != std::string::npos;
  if (action == Action::vault) return token(match.type, value);
  if (action == Action::refuse || encoded || rule.data_class == DataClass::c3) return rule.form == MaskForm::token && !encoded ? token(match.type, value) : blotted(value);
  switch (rule.form) {
    case MaskForm::full: return starred(value, 0, 0);
    case MaskForm::partial: return match.type == Type::email_address ? starred_mail(value, rule.keep_first) : starred(value, rule.keep_first, rule.keep_last);
    case MaskForm::token: return token(match.type, value);
    case MaskForm::format: {
      std::string digits;
      for (const char c : value)
        if (c >= '0' && c <= '9') digits += c;
      const auto other = ff1_encrypt(hmac(key_, "ff1").substr(0, 32), type_name(match.type), digits);
      if (!other.ok()) return starred(value, 0, 0);
      std::string out(value);
      std::size_t i = 0;
      for (char& c : out)
        if (c >= '0' && c <= '9') c = (*other)[i++];
      return out;
    }
  }
  return blotted(value);
}

MaskReport Masker::apply(std::string_view text, const std::vector<Match>& matches, Channel channel) const {
  MaskReport out;
  guard_text::CodePointCounter points(text);
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (const auto& match : matches) {
    const std::size_t begin = points.at(match.begin);
    places.push_back({begin, begin + text::code_points(text.substr(match.begin, match.end - match.begin))});
  }
  std::size_t cursor = 0;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    const Match& match = matches[i];
    const TypeRule& rule = policy_->of(match.type);
    const Action action = policy_->action(match.type, channel);
    const bool secret = match.type == Type::api_key || match.type == Type::private_key || match.type == Type::jwt || match.type == Type::password;
    GuardFinding finding{secret ? "secret" : "personal_data", std::string(type_name(match.type)), match.rule, version, places[i].first, places[i].second};
    finding.data_class = rule.data_class;
    finding.action = to_string(action);
    out.findings.push_back(std::move(finding));
    if (action == Action::allow) continue;
    out.action = std::max(out.action, action == Action::refuse ? GuardAction::withhold : GuardAction::mask);
    if (match.end <= cursor) continue;
    const std::size_t begin = std::max(match.begin, cursor);
    out.masked.append(text.substr(cursor, begin - cursor));
    const std::string_view value = text.substr(begin, match.end - begin);
    // the rest of an overlap loses its own form
    out.masked += begin == match.begin ? replacement(match, value, action) : blotted(value);
    if (action == Action::vault && begin == match.begin) out.vault.push_back({token(match.type, value), std::string(type_name(match.type)), std::string(value)});
    cursor = match.end;
  }
  out.masked.append(text.substr(cursor));
  return out;
}

}  // namespace heng::guard_pii
