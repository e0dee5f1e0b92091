#include "heng/guard_egress/filter.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "heng/guard_text/decode.h"
#include "heng/guard_text/normalise.h"
#include "squeeze.h"

namespace heng::guard_egress {
namespace {

constexpr std::size_t shortest = 8, part = 10;

std::uint64_t hash_of(std::string_view s) {
  std::uint64_t h = 14695981039346656037ULL;
  for (const char c : s) h = (h ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return h ^ h >> 29;
}

/// Printable runs of at least eight characters, with blanks between: what a wrong reading of encoded text leaves is hardly ever one.
std::string printable_runs(std::string_view bytes) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= bytes.size(); ++i) {
    if (i < bytes.size() && bytes[i] >= ' ' && bytes[i] < 0x7F) continue;
    if (i - begin >= 8) out.append(out.empty() ? "" : " ").append(bytes.substr(begin, i - begin));
    begin = i + 1;
  }
  return out;
}

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}
int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Digits of one base from `phase` on, as bytes.
std::string bytes_of(const std::vector<int>& digits, std::size_t phase, int bits) {
  std::string out;
  unsigned window = 0;
  int have = 0;
  for (std::size_t i = phase; i < digits.size(); ++i) {
    window = window << bits | static_cast<unsigned>(digits[i]);
    have += bits;
    if (have < 8) continue;
    have -= 8;
    out += static_cast<char>(window >> have & 0xFF);
  }
  return out;
}

/// What a text says if its base64 or hex digits are read from every phase, whatever stands between them; and its escapes. Encoded text is then found
/// wherever it begins and however it is broken up.
std::vector<std::pair<std::string, const char*>> readings(std::string_view text) {
  std::vector<std::pair<std::string, const char*>> out;
  const auto add = [&](std::string decoded, const char* way) {
    if (!decoded.empty()) out.emplace_back(std::move(decoded), way);
  };
  std::vector<int> base64, base64_without_slash, hex;
  for (const char c : text) {
    if (const int v = base64_value(c); v >= 0) {
      base64.push_back(v);
      if (c != '/') base64_without_slash.push_back(v);
    }
    if (const int v = hex_value(c); v >= 0) hex.push_back(v);
  }
  for (std::size_t phase = 0; phase < 4; ++phase) add(printable_runs(bytes_of(base64, phase, 6)), "base64");
  if (base64_without_slash.size() != base64.size())
    for (std::size_t phase = 0; phase < 4; ++phase) add(printable_runs(bytes_of(base64_without_slash, phase, 6)), "base64");
  for (std::size_t phase = 0; phase < 2; ++phase) add(printable_runs(bytes_of(hex, phase, 4)), "hex");
  for (auto& hidden : guard_text::decode_stretches(text, {.shortest = 10}))
    if (std::string_view(hidden.encoding) != "base64" && std::string_view(hidden.encoding) != "hex") add(std::move(hidden.text), hidden.encoding);
  return out;
}

}  // namespace

struct EgressFilter::Parts {
  LinkPolicy links;
  /// Hash of each part → what it belongs to; by the parts' length. Long secrets in windows of `part` characters, so that half of one is found too.
  std::unordered_map<std::uint64_t, const char*> by_length[part + 1];

  bool holds_something = false;

  void add(const std::string& squeezed, const char* type) {
    holds_something = true;
    const std::size_t size = std::min(squeezed.size(), part);
    for (std::size_t at = 0; at + size <= squeezed.size(); ++at) by_length[size].emplace(hash_of(std::string_view(squeezed).substr(at, size)), type);
  }
  /// First hit in squeezed text: type and place.
  const char* find(std::string_view text, std::size_t& begin, std::size_t& end) const {
    for (std::size_t size = shortest; size <= part; ++size) {
      if (by_length[size].empty()) continue;
      for (std::size_t at = 0; at + size <= text.size(); ++at) {
        const auto hit = by_length[size].find(hash_of(text.substr(at, size)));
        if (hit == by_length[size].end()) continue;
        begin = at, end = at + size;
        return hit->second;
      }
    }
    return nullptr;
  }

  void look(std::string_view text, int depth, const std::string& how, std::vector<Leak>& out) const {
    const Squeezed plain = squeeze(text);
    std::size_t begin = 0, end = 0;
    if (const char* type = find(plain.text, begin, end)) {
      out.push_back({type, how.empty() ? "plain" : how, plain.begin[begin], plain.end[end - 1], LinkAction::withhold});
      return;
    }
    const auto whole = [&](const char* type, const char* way) { out.push_back({type, how.empty() ? way : how + "+" + way, 0, text.size(), LinkAction::withhold}); };
    const std::string reversed(plain.text.rbegin(), plain.text.rend());
    if (const char* type = find(reversed, begin, end)) return whole(type, "reversed");
    if (const char* type = find(rot13(plain.text), begin, end)) return whole(type, "rot13");
    if (depth == 0) return;
    for (const auto& [decoded, way] : readings(guard_text::Normalised(text).view())) {
      std::vector<Leak> inner;
      look(decoded, depth - 1, "", inner);
      if (!inner.empty()) return whole(inner.front().type == "secret" ? "secret" : "other_customer", way);
    }
  }
};

EgressFilter::EgressFilter(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
EgressFilter::~EgressFilter() = default;

Result<std::unique_ptr<EgressFilter>> EgressFilter::create(EgressSettings settings) {
  auto parts = std::make_unique<Parts>();
  parts->links = std::move(settings.links);
  for (const auto& [list, type] : {std::pair(&settings.secrets, "secret"), std::pair(&settings.identifiers, "other_customer")})
    for (const auto& value : *list) {
      const std::string squeezed = squeeze(value).text;
      if (squeezed.size() < shortest)
        return Error(ErrorCode::invalid_argument, fmt::format("a {} to be held back has {} letters and digits, at least {} are needed to tell it from ordinary text", type, squeezed.size(), shortest));
      parts->add(squeezed, type);
    }
  return std::unique_ptr<EgressFilter>(new EgressFilter(std::move(parts)));
}

std::vector<Leak> EgressFilter::check(std::string_view text) const {
  std::vector<Leak> out;
  if (parts_->holds_something) parts_->look(text, 3, "", out);
  for (auto& leak : check_links(text, parts_->links)) out.push_back(std::move(leak));
  return out;
}

}  // namespace heng::guard_egress
