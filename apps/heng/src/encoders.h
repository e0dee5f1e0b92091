#pragma once

#include <filesystem>
#include <optional>

#include "config.h"

namespace heng::app {

/// The word-piece encoder among the models that training starts from: a Chinese one for Chinese, another for other languages.
/// Nothing where there is none.
std::optional<std::filesystem::path> find_tunable_encoder(const Config& config, bool chinese);

}  // namespace heng::app
