#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/guard_policy/file.h"

namespace heng::guard_egress {

enum class LinkAction { allow, mask, withhold };

struct LinkPolicy {
  guard_policy::Header header;
  std::vector<std::string> allowed_hosts;
  LinkAction images = LinkAction::withhold, links = LinkAction::mask, plain_links = LinkAction::allow;
};
/// Errors: malformed_input (file, line, reason).
Result<LinkPolicy> read_link_policy(std::string_view text, const std::string& name);
std::string_view default_link_policy_text();

struct EgressSettings {
  std::vector<std::string> secrets;       ///< Keys, canaries, parts of the system prompt: each at least 8 letters or digits.
  std::vector<std::string> identifiers;   ///< Of other customers, each at least 8 letters or digits; not this reader's own.
  LinkPolicy links;
};

struct Leak {
  std::string type;                       ///< "secret", "other_customer", "image", "link".
  std::string how;                        ///< "plain", "reversed", "rot13", "base64" …
  std::size_t begin = 0, end = 0;         ///< Bytes of the text; the whole text where it was spread.
  LinkAction action = LinkAction::withhold;
};

/// See README. Lifetime: made once. Immutable; threads: safe. Cost: linear in the text.
class EgressFilter {
 public:
  /// Errors: invalid_argument (a secret too short to be told from ordinary text).
  static Result<std::unique_ptr<EgressFilter>> create(EgressSettings settings);
  ~EgressFilter();
  /// `text` must be valid UTF-8.
  std::vector<Leak> check(std::string_view text) const;

 private:
  struct Parts;
  explicit EgressFilter(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// Links and images of a text that `policy` does not let pass.
std::vector<Leak> check_links(std::string_view text, const LinkPolicy& policy);
/// Whether a host is one of `allowed` or below one of them.
bool host_allowed(std::string_view host, const std::vector<std::string>& allowed);
/// Host of "scheme://user@host:port/…", lower case; empty where there is none.
std::string host_of(std::string_view url);

}  // namespace heng::guard_egress
