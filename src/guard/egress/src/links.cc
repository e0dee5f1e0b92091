#include <algorithm>

#include "heng/guard_egress/filter.h"
#include "heng/guard_text/normalise.h"

extern "C" {
extern const char heng_egress_begin[], heng_egress_end[];
}

namespace heng::guard_egress {
namespace {

using guard_policy::Reader;

bool alnum(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

Result<void> read_action(Reader& reader, const char* key, LinkAction& out) {
  const auto text = HENG_TRY(reader.text_or(key, ""));
  if (text.empty()) return {};
  if (text == "allow") out = LinkAction::allow;
  else if (text == "mask") out = LinkAction::mask;
  else if (text == "withhold") out = LinkAction::withhold;
  else return reader.fail(reader.line_of(key), std::string(key) + " must be allow, mask or withhold");
  return {};
}

struct Url {
  std::size_t begin = 0, end = 0;
};

/// Links of any scheme, "www." and scheme-relative ones inside brackets or quotes.
std::vector<Url> urls_of(std::string_view s) {
  std::vector<Url> out;
  for (std::size_t i = 0; i + 4 < s.size(); ++i) {
    std::size_t begin = std::string_view::npos;
    if (s.substr(i, 3) == "://") {
      begin = i;
      while (begin > 0 && (alnum(s[begin - 1]) || s[begin - 1] == '+')) --begin;
    } else if (s.substr(i, 2) == "//" && i > 0 && (s[i - 1] == '(' || s[i - 1] == '"' || s[i - 1] == '\'' || s[i - 1] == '=')) {
      begin = i;
    } else if (lower(s[i]) == 'w' && (s.substr(i, 4) == "www." || s.substr(i, 4) == "WWW.") && (i == 0 || !alnum(s[i - 1])) && (i < 3 || s[i - 1] != '/')) {
      begin = i;
    } else if (lower(s[i]) == 'd' && s.substr(i, 5) == "data:" && (i == 0 || !alnum(s[i - 1])) && i + 5 < s.size() && alnum(s[i + 5])) {
      begin = i;
    }
    if (begin == std::string_view::npos) continue;
    std::size_t end = i + 3;
    while (end < s.size() && s[end] > ' ' && static_cast<unsigned char>(s[end]) < 0x7F && std::string_view("<>\"'`{}|^)]").find(s[end]) == std::string_view::npos) ++end;
    while (end > i + 3 && std::string_view(".,;:!").find(s[end - 1]) != std::string_view::npos) --end;
    out.push_back({begin, end});
    i = end > i ? end - 1 : i;
  }
  return out;
}

/// "![…](" or "<img … src=" right before the link.
bool is_image(std::string_view s, std::size_t begin) {
  std::size_t k = begin;
  while (k > 0 && (s[k - 1] == ' ' || s[k - 1] == '<')) --k;
  if (k >= 2 && s[k - 1] == '(' && s[k - 2] == ']') {
    const auto open = s.rfind('[', k - 2);
    return open != std::string_view::npos && open > 0 && s[open - 1] == '!';
  }
  const auto tag = s.rfind('<', begin);
  if (tag != std::string_view::npos && begin - tag < 400) {
    std::string head;
    for (std::size_t i = tag; i < begin; ++i) head += lower(s[i]);
    return head.find('>') == std::string::npos && (head.starts_with("<img") || head.starts_with("<iframe") || head.starts_with("<script") || head.starts_with("<link") || head.starts_with("<object") || head.starts_with("<video") ||
                                                   head.starts_with("<svg") || head.starts_with("<image"));
  }
  // reference form: "[x]: http…" of an image "![a][x]"
  return s.find("![") != std::string_view::npos && k >= 2 && s.substr(k - 2, 2) == "]:";
}

bool carries_data(std::string_view url) {
  const auto scheme = url.find("//");
  const auto path = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 2);
  return url.find('?') != std::string_view::npos || url.find('#') != std::string_view::npos || url.find('@') != std::string_view::npos || url.starts_with("data:") ||
         (path != std::string_view::npos && url.size() - path > 64) || host_of(url).size() > 60;
}

}  // namespace

std::string host_of(std::string_view url) {
  const auto scheme = url.find("//");
  std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 2;
  std::size_t end = begin;
  while (end < url.size() && url[end] != '/' && url[end] != '?' && url[end] != '#' && url[end] != '\\') ++end;
  if (const auto user = url.substr(begin, end - begin).rfind('@'); user != std::string_view::npos) begin += user + 1;
  std::string out;
  for (std::size_t i = begin; i < end && url[i] != ':'; ++i) out += lower(url[i]);
  while (!out.empty() && out.back() == '.') out.pop_back();
  return out;
}

bool host_allowed(std::string_view host, const std::vector<std::string>& allowed) {
  return !host.empty() && std::any_of(allowed.begin(), allowed.end(), [&](const std::string& one) {
    return host == one || (host.size() > one.size() && host.ends_with(one) && host[host.size() - one.size() - 1] == '.');
  });
}

std::vector<Leak> check_links(std::string_view text, const LinkPolicy& policy) {
  const guard_text::Normalised folded(text);
  const std::string_view view = folded.view();
  std::vector<Leak> out;
  for (const auto& url : urls_of(view)) {
    const auto link = view.substr(url.begin, url.end - url.begin);
    if (host_allowed(host_of(link), policy.allowed_hosts)) continue;
    const bool image = is_image(view, url.begin);
    const auto action = image ? policy.images : carries_data(link) ? policy.links : policy.plain_links;
    if (action == LinkAction::allow) continue;
    out.push_back({image ? "image" : "link", "plain", folded.original_begin(url.begin), folded.original_end(url.end), action});
  }
  return out;
}

Result<LinkPolicy> read_link_policy(std::string_view text, const std::string& name) {
  const auto file = HENG_TRY(guard_policy::parse(text, name));
  Reader reader = guard_policy::body(file);
  if (file.header.kind != "egress") return reader.fail(reader.line_of("kind"), "kind is \"" + file.header.kind + "\", wanted \"egress\"");
  LinkPolicy out;
  out.header = file.header;
  for (const auto& host : HENG_TRY(reader.texts_or_none("allowed_hosts"))) {
    std::string plain;
    for (const char c : host) plain += lower(c);
    const bool fits = plain.size() >= 3 && plain.find('.') != std::string::npos && std::all_of(plain.begin(), plain.end(), [](char c) { return alnum(c) || c == '.' || c == '-'; }) &&
                      plain.front() != '.' && plain.back() != '.' && plain.find("..") == std::string::npos;
    if (!fits) return reader.fail(reader.line_of("allowed_hosts"), "\"" + host + "\" is no host: write \"bank.example\", without scheme, star or path");
    out.allowed_hosts.push_back(std::move(plain));
  }
  HENG_TRY(read_action(reader, "images", out.images));
  HENG_TRY(read_action(reader, "links", out.links));
  HENG_TRY(read_action(reader, "plain_links", out.plain_links));
  HENG_TRY(reader.finish());
  if (out.images == LinkAction::allow && out.links != LinkAction::allow) return reader.fail(reader.line_of("images"), "images are allowed where links are not: an image leaks without a click");
  if (out.links < out.plain_links) return reader.fail(reader.line_of("plain_links"), "plain links are treated worse than links that can carry data: the policy contradicts itself");
  return out;
}

std::string_view default_link_policy_text() { return {heng_egress_begin, static_cast<std::size_t>(heng_egress_end - heng_egress_begin)}; }

}  // namespace heng::guard_egress
