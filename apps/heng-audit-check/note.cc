#include <algorithm>
#include <charconv>

#include "check.h"

namespace audit_check {

std::optional<Key> parse_key(std::string_view text) {
  const auto first = text.find('+');
  const auto second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos || first == 0) return std::nullopt;
  const auto typed = decode_base64(text.substr(second + 1));
  if (!typed || typed->size() != 33 || (*typed)[0] != 1) return std::nullopt;
  Key key{.name = std::string(text.substr(0, first)), .id = "", .public_key = typed->substr(1)};
  const Digest digest = sha256(key.name + "\n" + *typed);
  key.id.assign(digest.begin(), digest.begin() + 4);
  if (hex(digest).substr(0, 8) != text.substr(first + 1, second - first - 1)) return std::nullopt;
  return key;
}

namespace {

std::optional<Head> parse_head(std::string_view text, std::string& why) {
  Head head;
  std::vector<std::string> lines(1);
  for (const char c : text) {
    if (c == '\n') lines.emplace_back();
    else lines.back() += c;
  }
  why = "the checkpoint's text is damaged";
  if (lines.size() < 4 || lines[0].empty()) return std::nullopt;
  head.origin = lines[0];
  const auto [end, error] = std::from_chars(lines[1].data(), lines[1].data() + lines[1].size(), head.size);
  const auto root = decode_base64(lines[2]);
  if (error != std::errc() || end != lines[1].data() + lines[1].size() || !root || root->size() != head.root.size()) return std::nullopt;
  std::copy(root->begin(), root->end(), reinterpret_cast<char*>(head.root.data()));
  why.clear();
  return head;
}

}  // namespace

std::optional<Head> open_head(std::string_view note, const Key& key, std::string& why) {
  const auto blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) {
    why = "it is not a signed note";
    return std::nullopt;
  }
  const std::string_view text = note.substr(0, blank + 1);
  std::string_view rest = note.substr(blank + 2);
  bool signed_by_key = false;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) break;
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const std::string prefix = "\xe2\x80\x94 " + key.name + " ";
    if (!line.starts_with(prefix)) continue;
    const auto signature = decode_base64(line.substr(prefix.size()));
    if (!signature || signature->size() != 68 || signature->substr(0, 4) != key.id) continue;
    if (!verify_ed25519(key.public_key, text, std::string_view(*signature).substr(4))) {
      why = "its signature does not fit";
      return std::nullopt;
    }
    signed_by_key = true;
  }
  if (!signed_by_key) {
    why = "it is not signed by " + key.name + " with this key";
    return std::nullopt;
  }
  auto head = parse_head(text, why);
  if (head && head->origin != key.name) {
    why = "it is of the log " + head->origin + ", not of " + key.name;
    return std::nullopt;
  }
  return head;
}

}  // namespace audit_check
