#pragma once

#include <string>
#include <string_view>

namespace heng::pipeline {

/// Whether the question leans on what was said before: pronouns, ellipsis ("那2014年呢", "what about 2014"), or very short.
bool depends_on_history(std::string_view question);

/// The earlier question with its one period replaced by that of a follow-up that names only a period; "" where it is not so.
std::string with_other_period(const std::string& before, const std::string& question);

/// Whether a model's rewrite may be used: same language, no new figures, no words from nowhere, still the same question.
bool acceptable_rewrite(const std::string& rewritten, const std::string& question, const std::string& conversation);

}  // namespace heng::pipeline
