#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "heng/base/result.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/knowledge.h"

namespace heng::pipeline {

/// Text that cannot be read as a model's special token ("<|im_end|>") or as the markers around untrusted text.
std::string defused(std::string_view untrusted);

/// The heading line of a passage: number, title, heading, page, units.
std::string passage_header(int n, const Passage& passage);

/// The longest beginning of `text` of at most `most_bytes` that ends at a sentence or table row; whole characters where there
/// is neither.
std::string trimmed_at_boundary(const std::string& text, std::size_t most_bytes);

/// The stable first message. It never depends on the request, so its decoded state is shared.
const char* system_prompt(bool chinese, bool strong_evidence);

}  // namespace heng::pipeline
