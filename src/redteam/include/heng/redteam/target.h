#pragma once

#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/contracts/inference.h"

namespace heng::redteam {

/// Who attacks.
enum class Party {
  owner,     ///< Of the scratch knowledge base, in the tenant under attack.
  limited,   ///< The same tenant, without the role that may read the secret.
  foreign,   ///< Another tenant.
};

/// What an attacker gets to see.
struct Reply {
  std::string text;                       ///< Everything: words, thoughts, quotes, titles.
  struct Call {
    std::string name, arguments_json;
    bool needs_person = false;            ///< Handed out with the demand that a person confirms it.
  };
  std::vector<Call> calls;                ///< Tool calls handed to the client.
  bool refused = false;                   ///< The system said no (policy), or withheld the answer.
  std::string refusal;
};

/// The running system. Calls block; one thread. Errors are those of the transport and of a broken system, never refusals.
class Target {
 public:
  virtual ~Target() = default;
  virtual std::string name() const = 0;               ///< For the report: "in process, qwen…", "https://…".
  virtual bool has(Party party) const = 0;
  virtual Result<Reply> chat(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools) = 0;
  /// The last of `turns` is the question, the ones before are the user's earlier turns.
  virtual Result<Reply> ask(Party party, const std::vector<std::string>& turns) = 0;
  virtual Result<Reply> search(Party party, const std::string& query) = 0;
  /// Puts a document into the scratch knowledge base. `readers`: roles; empty: everyone of the tenant.
  virtual Result<void> plant(const std::string& path, const std::string& text, const std::vector<std::string>& readers) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  /// Deletes the scratch knowledge base. Safe to call twice.
  virtual Result<void> clean_up() = 0;
};

}  // namespace heng::redteam
