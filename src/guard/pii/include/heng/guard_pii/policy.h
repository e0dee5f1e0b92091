#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "heng/base/result.h"
#include "heng/contracts/labels.h"
#include "heng/guard_pii/types.h"
#include "heng/guard_policy/file.h"

namespace heng::guard_pii {

enum class Action { allow, mask, vault, refuse };
enum class MaskForm { full, partial, token, format };
/// Where a text goes: into files, records and logs; to a model; to a user.
enum class Channel { record, prompt, answer };

struct TypeRule {
  DataClass data_class = DataClass::c2;
  Action action = Action::mask, prompt = Action::mask, answer = Action::mask;
  MaskForm form = MaskForm::full;
  int keep_first = 0, keep_last = 0;     ///< Characters (not separators) that a partial mask leaves.
};

/// What happens to each type. A type the file does not name is C3 and refused: nothing is let through by being forgotten.
struct Policy {
  guard_policy::Header header;
  std::array<TypeRule, type_count> rules;

  const TypeRule& of(Type type) const { return rules[static_cast<std::size_t>(type)]; }
  Action action(Type type, Channel channel) const {
    const TypeRule& rule = of(type);
    return channel == Channel::record ? rule.action : channel == Channel::prompt ? rule.prompt : rule.answer;
  }
};

/// Errors: malformed_input (file, line, reason): unknown or doubled type, class, action or mask; a C3 type that is allowed; a partial
/// mask that keeps more than half of the shortest value; everything refused.
Result<Policy> read_policy(std::string_view text, const std::string& name);
/// The one that comes with Heng.
const Policy& default_policy();
std::string_view default_policy_text();

std::string_view to_string(Action action);
std::string_view to_string(DataClass data_class);

}  // namespace heng::guard_pii
