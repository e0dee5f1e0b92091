#pragma once

#include <filesystem>
#include <string>

#include "heng/audit/ledger.h"

namespace heng::bench {

/// A record of about 2 KB of JSON, as a short answer makes.
AuditOpen typical_open(const std::string& subject);
AuditClose typical_close();

/// Kills a writing process `kills` times at random moments; returns the number of acknowledged records that are not there
/// afterwards, or -1 where something else failed. `seed` makes the moments the same again.
long run_kills(const std::filesystem::path& folder, int kills, unsigned seed);

}  // namespace heng::bench
