#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "heng/contracts/inference.h"

namespace heng::infer {

/// Tool calls that a model wrote as bare JSON, {"name": …, "arguments": {…}}, alone or in a code fence, instead of in the
/// form its template asks for (small models do). Empty unless the whole text is calls of known tools. Ids are left empty.
std::vector<ToolCall> tool_calls_in_text(std::string_view text, const std::set<std::string>& tools);

/// Whether the text, so far, may still become that.
bool may_become_tool_call(std::string_view text);

}  // namespace heng::infer
