#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "companies.h"
#include "heng/contracts/streams.h"
#include "heng/store/database.h"
#include "heng/streams/setup.h"
#include "similar.h"

namespace heng::streams {

enum class Tone { negative = -1, neutral = 0, positive = 1, unknown = 2 };
/// Of a label in Chinese or English: "positive", "bullish", "利好", "积极", … Unknown: it says nothing about tone.
Tone tone_of(std::string_view label);

struct BriefItem {
  int n = 0;                          ///< What citations [n] name: by time, from 1.
  StreamItem item;
  std::int64_t at_ms = 0;
  Tone tone = Tone::unknown;
  double tone_confidence = 0;
  Fingerprint fingerprint;
  std::int64_t repeats() const { return 1 + item.copies + item.near_copies; }
};

/// Items that tell of one thing.
struct Headline {
  std::string sentence;               ///< Quoted from the item `cites`; ends with "…" where it was cut.
  int cites = 0;
  std::vector<int> items;
  std::int64_t reports = 0;           ///< With copies.
  double importance = 0;
};

/// A number and the items that were counted.
struct BriefCount {
  std::string id, name;
  std::int64_t value = 0;
  std::vector<int> items;
};

struct TonePoint {
  std::int64_t from_ms = 0;
  std::vector<int> positive, neutral, negative;
};

struct BriefEventRow {
  int n = 0;
  std::int64_t at_ms = 0;
  std::string type, trigger, arguments;
  double confidence = 0;
};

struct CompanyRow {
  std::string name, code;
  std::vector<int> mentions, positive, neutral, negative;
  std::int64_t reports = 0, events = 0;
  std::string sentence;
  int cites = 0;
};

struct Brief {
  BriefRequest request;
  CompanyName company;
  int utc_offset_minutes = 0;
  std::string provider = "Heng";      ///< In the label.
  std::string content_id;             ///< In the label: of what was read and for which window.
  bool cut = false;                   ///< The window holds more items than are counted.
  std::vector<BriefItem> items;       ///< items[n - 1]: of the whole window where companies are compared.
  std::vector<Headline> headlines;
  std::vector<BriefCount> counts;
  std::int64_t bucket_ms = 0;
  std::vector<TonePoint> tone;
  std::vector<BriefEventRow> events;
  std::vector<CompanyRow> comparison;
  const char* say(const char* zh, const char* en) const { return request.language == "en" ? en : zh; }
};

constexpr std::size_t most_brief_items = 5000;

/// Reads the window and counts. Errors: those of the store.
Result<Brief> make_brief(store::Database& db, const TenantId& tenant, const BriefRequest& request, const Setup& setup);
std::string brief_json(const Brief& brief);
/// One page without scripts or outside parts.
std::string brief_html(const Brief& brief);
std::string brief_text(const Brief& brief);

/// "11-24 09:30" at the brief's offset; with `year` also the year.
std::string local_time(const Brief& brief, std::int64_t at_ms, bool year = false);
/// "1–5, 8"; at most `most` parts, then "…".
std::string ranges(const std::vector<int>& numbers, std::size_t most);

}  // namespace heng::streams
