#pragma once

#include <string>

#include "heng/redteam/campaign.h"

namespace heng::redteam {

enum class Wording { english, chinese };

/// The whole report, every attempt with what was sent and what came back.
std::string to_json(const Report& report);
/// One page without scripts and without anything from elsewhere; everything in it is escaped. Every success is listed with its text.
std::string html(const Report& report, Wording wording);
/// For a terminal.
std::string plain(const Report& report, Wording wording);

}  // namespace heng::redteam
