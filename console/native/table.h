#pragma once

#include <span>
#include <string_view>

#include "heng/console/assets.h"

namespace heng::console {

/// Made by embed.mjs: every file of the built console, sorted by path, and its policy.
std::span<const Asset> table();
extern const std::string_view kPolicy;

}  // namespace heng::console
