#pragma once

#include <cstdint>
#include <string_view>

#include "heng/base/result.h"

namespace heng {

/// Unix milliseconds of "2026-11-24T08:30:00Z", "2026-11-24 08:30:00+08:00", "2026-11-24", "20261124", or of other digits (seconds, or
/// milliseconds from 11 digits on). Without an offset the time is taken at `utc_offset_minutes`. Errors: malformed_input.
Result<std::int64_t> parse_time(std::string_view text, int utc_offset_minutes);

}  // namespace heng
