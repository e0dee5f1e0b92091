#include "brief.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "heng/base/clock.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/guard_label/label.h"
#include "heng/streams/engine.h"
#include "records.h"

namespace heng::streams {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t hour_ms = 3'600'000, day_ms = 24 * hour_ms;
constexpr std::size_t most_headlines = 8, most_event_rows = 200, longest_quote = 160;

void set_tone(BriefItem& item) {
  for (const auto& label : item.item.labels) {
    const Tone tone = tone_of(label.label);
    if (tone == Tone::unknown) continue;
    item.tone = tone;
    item.tone_confidence = label.confidence;
    return;
  }
}

bool share_company(const StreamItem& a, const StreamItem& b) {
  for (const auto& x : a.entities)
    for (const auto& y : b.entities)
      if (x.type == "company" && y.type == "company" && (x.id.empty() ? x.word == y.word : x.id == y.id)) return true;
  return false;
}

bool share_event(const StreamItem& a, const StreamItem& b) {
  for (const auto& x : a.events)
    for (const auto& y : b.events)
      if (x.type == y.type) return true;
  return false;
}

/// Same matter: texts alike, or the same kind of event of the same company within a day.
bool same_matter(const BriefItem& a, const BriefItem& b) {
  constexpr double alike = 0.35;
  if (estimate(a.fingerprint, b.fingerprint) >= alike) return true;
  return std::llabs(a.at_ms - b.at_ms) <= day_ms && share_event(a.item, b.item) && share_company(a.item, b.item);
}

std::string cut_quote(std::string_view sentence) {
  if (text::code_points(sentence) <= longest_quote) return std::string(sentence);
  return std::string(sentence.substr(0, text::byte_offset(sentence, longest_quote))) + "…";
}

/// The sentence of an item that says most: names and figures count, an early place too.
std::string best_sentence(const StreamItem& item, const CompanyName* company) {
  constexpr std::size_t looked_at = 6, shortest = 6;
  std::string best;
  double best_score = -1;
  std::size_t place = 0;
  for (const auto& range : text::sentences(item.text)) {
    if (place == looked_at) break;
    const std::string sentence = item.text.substr(range.begin, range.end - range.begin);
    double score = 0.4 * static_cast<double>(looked_at - place++) / looked_at;
    if (text::code_points(sentence) < shortest) score -= 1;
    if (sentence.find_first_of("0123456789") != std::string::npos) score += 0.4;
    for (const auto& entity : item.entities)
      if (sentence.find(entity.word) != std::string::npos) score += entity.type == "company" ? 0.4 : 0.1;
    for (const auto& event : item.events)
      for (const auto& mention : event.mentions)
        if (mention.role == "trigger" && sentence.find(mention.word) != std::string::npos) score += 0.5;
    if (company != nullptr) {
      const std::string lower = folded(sentence);
      if (std::any_of(company->words.begin(), company->words.end(), [&](const std::string& word) { return holds_word(lower, word); })) score += 0.8;
    }
    if (score > best_score) {
      best_score = score;
      best = sentence;
    }
  }
  return cut_quote(best.empty() ? item.text : best);
}

void find_headlines(Brief& brief, const std::vector<const BriefItem*>& items) {
  struct Cluster {
    const BriefItem* lead;
    std::vector<const BriefItem*> members;
  };
  // the most repeated items lead, so that what gathers around them is what was repeated
  auto order = items;
  std::stable_sort(order.begin(), order.end(), [](const BriefItem* a, const BriefItem* b) { return a->repeats() > b->repeats(); });
  std::vector<Cluster> clusters;
  constexpr std::size_t most_leads = 1500;
  for (const auto* item : order) {
    const auto home = std::find_if(clusters.begin(), clusters.end(), [&](const Cluster& c) { return same_matter(*c.lead, *item); });
    if (home != clusters.end()) home->members.push_back(item);
    else if (clusters.size() < most_leads) clusters.push_back({item, {item}});
  }
  for (const auto& cluster : clusters) {
    Headline out;
    std::set<std::string> sources;
    bool event = false;
    double tone = 0;
    for (const auto* member : cluster.members) {
      out.items.push_back(member->n);
      out.reports += member->repeats();
      if (!member->item.source.empty()) sources.insert(member->item.source);
      event = event || !member->item.events.empty();
      if (member->tone == Tone::negative || member->tone == Tone::positive) tone = std::max(tone, member->tone_confidence);
    }
    std::sort(out.items.begin(), out.items.end());
    out.importance = std::log2(1.0 + static_cast<double>(out.reports)) + 0.3 * static_cast<double>(std::min<std::size_t>(sources.size(), 5)) + (event ? 1 : 0) + 0.5 * tone +
                     (cluster.lead->item.entities.empty() ? 0 : 0.3);
    out.cites = cluster.lead->n;
    brief.headlines.push_back(std::move(out));
  }
  std::stable_sort(brief.headlines.begin(), brief.headlines.end(), [](const Headline& a, const Headline& b) { return a.importance != b.importance ? a.importance > b.importance : a.cites > b.cites; });
  if (brief.headlines.size() > most_headlines) brief.headlines.resize(most_headlines);
  const CompanyName* company = brief.request.company.empty() ? nullptr : &brief.company;
  for (auto& headline : brief.headlines) headline.sentence = best_sentence(brief.items[static_cast<std::size_t>(headline.cites - 1)].item, company);
}

void count(Brief& brief, const std::vector<const BriefItem*>& items) {
  BriefCount all{"items", brief.say("不同条目", "Different items"), 0, {}}, positive{"positive", brief.say("正面", "Positive"), 0, {}}, neutral{"neutral", brief.say("中性", "Neutral"), 0, {}},
      negative{"negative", brief.say("负面", "Negative"), 0, {}}, unlabelled{"without_tone", brief.say("无情绪标签", "Without a tone label"), 0, {}},
      copies{"copies", brief.say("重复报道（相同或近似）", "Repetitions (exact and near)"), 0, {}}, with_events{"with_events", brief.say("含事件的条目", "Items that tell of events"), 0, {}};
  const auto add = [](BriefCount& to, int n) {
    to.items.push_back(n);
    ++to.value;
  };
  std::map<std::string, BriefCount> types;
  for (const auto* item : items) {
    add(all, item->n);
    add(item->tone == Tone::positive ? positive : item->tone == Tone::negative ? negative : item->tone == Tone::neutral ? neutral : unlabelled, item->n);
    if (item->repeats() > 1) {
      copies.items.push_back(item->n);
      copies.value += item->repeats() - 1;
    }
    if (!item->item.events.empty()) add(with_events, item->n);
    for (const auto& event : item->item.events) {
      auto& type = types.try_emplace(event.type, BriefCount{"event:" + event.type, fmt::format("{}{}", brief.say("事件：", "Event: "), event.type), 0, {}}).first->second;
      ++type.value;
      if (type.items.empty() || type.items.back() != item->n) type.items.push_back(item->n);
    }
  }
  for (auto* each : {&all, &copies, &positive, &neutral, &negative, &unlabelled, &with_events}) brief.counts.push_back(std::move(*each));
  for (auto& [name, each] : types) brief.counts.push_back(std::move(each));
}

void tone_over_time(Brief& brief, const std::vector<const BriefItem*>& items) {
  const std::int64_t span = brief.request.to_ms - brief.request.from_ms, offset = brief.utc_offset_minutes * 60'000LL;
  brief.bucket_ms = span <= 6 * hour_ms ? hour_ms / 2 : span <= 2 * day_ms ? hour_ms : span <= 62 * day_ms ? day_ms : span <= 430 * day_ms ? 7 * day_ms : 30 * day_ms;
  const std::int64_t bucket = brief.bucket_ms, first = (brief.request.from_ms + offset) / bucket;
  const std::int64_t last = (brief.request.to_ms - 1 + offset) / bucket;
  constexpr std::int64_t most_buckets = 400;
  for (std::int64_t i = first; i <= std::min(last, first + most_buckets); ++i) brief.tone.push_back({i * bucket - offset, {}, {}, {}});
  for (const auto* item : items) {
    const auto place = (item->at_ms + offset) / bucket - first;
    if (place < 0 || place >= static_cast<std::int64_t>(brief.tone.size())) continue;
    auto& point = brief.tone[static_cast<std::size_t>(place)];
    if (item->tone == Tone::positive) point.positive.push_back(item->n);
    if (item->tone == Tone::neutral) point.neutral.push_back(item->n);
    if (item->tone == Tone::negative) point.negative.push_back(item->n);
  }
}

void list_events(Brief& brief, const std::vector<const BriefItem*>& items) {
  for (const auto* item : items)
    for (const auto& event : item->item.events) {
      BriefEventRow row{item->n, item->at_ms, event.type, "", "", event.confidence};
      for (const auto& mention : event.mentions) {
        if (mention.role == "trigger") row.trigger = mention.word;
        else row.arguments += fmt::format("{}{}={}", row.arguments.empty() ? "" : "; ", mention.role, mention.word);
      }
      brief.events.push_back(std::move(row));
    }
  std::stable_sort(brief.events.begin(), brief.events.end(), [](const auto& a, const auto& b) { return a.at_ms > b.at_ms; });
  if (brief.events.size() > most_event_rows) brief.events.resize(most_event_rows);
}

void compare(Brief& brief, const Setup& setup) {
  for (const auto& given : brief.request.compare) {
    const auto company = company_named(given, setup.watched);
    CompanyRow row{company.label, company.code, {}, {}, {}, {}, 0, 0, {}, 0};
    const BriefItem* lead = nullptr;
    for (const auto& item : brief.items) {
      if (!is_about(item.item, company)) continue;
      row.mentions.push_back(item.n);
      row.reports += item.repeats();
      row.events += static_cast<std::int64_t>(item.item.events.size());
      if (item.tone == Tone::positive) row.positive.push_back(item.n);
      if (item.tone == Tone::neutral) row.neutral.push_back(item.n);
      if (item.tone == Tone::negative) row.negative.push_back(item.n);
      const auto weight = [](const BriefItem& i) { return i.repeats() + (i.item.events.empty() ? 0 : 1); };
      if (lead == nullptr || weight(item) > weight(*lead)) lead = &item;
    }
    if (lead != nullptr) {
      row.cites = lead->n;
      row.sentence = best_sentence(lead->item, &company);
    }
    brief.comparison.push_back(std::move(row));
  }
}

Json label_json(const Brief& brief) {
  return {{"text", brief.say("本简报由程序自动生成：语句均摘自所引条目，数字由程序清点，未使用生成模型；标签来自自动分类，可能有误。",
                             "Generated by a program: every sentence is quoted from the item it cites, every number is counted, no generative model was used; labels come from automatic classification and may be wrong.")},
          {"AIGC", Json::parse(guard_label::metadata_value({brief.provider, brief.content_id}))}};
}

Json item_json(const BriefItem& b) {
  const auto time = [](std::int64_t ms) { return ms > 0 ? Json(iso8601(ms)) : Json(nullptr); };
  Json labels = Json::array();
  for (const auto& l : b.item.labels) labels.push_back({{"task", l.task}, {"label", l.label}, {"confidence", l.confidence}});
  return {{"n", b.n}, {"number", b.item.number}, {"stream", b.item.stream}, {"id", b.item.id}, {"source", b.item.source}, {"sha256", b.item.sha256}, {"event_time", time(b.item.event_ms)},
          {"published", time(b.item.published_ms)}, {"ingested", time(b.item.ingest_ms)}, {"repeats", b.repeats() - 1}, {"labels", std::move(labels)}, {"text", b.item.text}};
}

}  // namespace

Tone tone_of(std::string_view label) {
  static constexpr std::string_view good[] = {"positive", "pos", "bullish", "利好", "积极", "正面", "看多", "看涨", "好", "乐观"};
  static constexpr std::string_view bad[] = {"negative", "neg", "bearish", "利空", "消极", "负面", "看空", "看跌", "坏", "悲观"};
  static constexpr std::string_view even[] = {"neutral", "neu", "中性", "中立", "平"};
  const std::string lower = folded(label);
  const auto is_in = [&](const auto& list) { return std::find(std::begin(list), std::end(list), lower) != std::end(list); };
  return is_in(good) ? Tone::positive : is_in(bad) ? Tone::negative : is_in(even) ? Tone::neutral : Tone::unknown;
}

Result<Brief> make_brief(store::Database& db, const TenantId& tenant, const BriefRequest& request, const Setup& setup) {
  Brief brief;
  brief.request = request;
  brief.utc_offset_minutes = setup.utc_offset_minutes;
  if (!request.company.empty()) brief.company = company_named(request.company, setup.watched);
  ItemQuery query;
  query.stream = request.stream;
  query.from_ms = request.from_ms;
  query.to_ms = request.to_ms;
  HENG_TRY(read_items(db, tenant, query, [&](StreamItem&& item, std::string_view bytes) {
    if (brief.items.size() == most_brief_items) {
      brief.cut = true;
      return false;
    }
    if (request.compare.empty() && !request.company.empty() && !is_about(item, brief.company)) return true;
    BriefItem made;
    made.at_ms = time_of(item.event_ms, item.published_ms, item.ingest_ms);
    made.fingerprint = from_bytes(bytes);
    made.item = std::move(item);
    set_tone(made);
    brief.items.push_back(std::move(made));
    return true;
  }));
  std::sort(brief.items.begin(), brief.items.end(), [](const BriefItem& a, const BriefItem& b) { return a.at_ms != b.at_ms ? a.at_ms < b.at_ms : a.item.number < b.item.number; });
  std::vector<const BriefItem*> chosen;
  for (std::size_t i = 0; i < brief.items.size(); ++i) {
    brief.items[i].n = static_cast<int>(i) + 1;
    if (request.company.empty() || is_about(brief.items[i].item, brief.company)) chosen.push_back(&brief.items[i]);
  }
  count(brief, chosen);
  tone_over_time(brief, chosen);
  list_events(brief, chosen);
  find_headlines(brief, chosen);
  compare(brief, setup);
  std::string read = fmt::format("{} {} {} {} {}", tenant.value, request.from_ms, request.to_ms, request.stream, request.company);
  for (const auto& item : brief.items) read += item.item.sha256;
  brief.content_id = "brief-" + sha256_hex(read).substr(0, 24);
  return brief;
}

std::string local_time(const Brief& brief, std::int64_t at_ms, bool year) {
  const std::string whole = iso8601(at_ms + brief.utc_offset_minutes * 60'000LL);
  return whole.substr(year ? 0 : 5, year ? 10 : 5) + " " + whole.substr(11, 5);
}

std::string ranges(const std::vector<int>& numbers, std::size_t most) {
  std::string out;
  std::size_t parts = 0;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i;
    while (end + 1 < numbers.size() && numbers[end + 1] == numbers[end] + 1) ++end;
    if (parts++ == most) return out + ", …";
    out += fmt::format("{}{}", out.empty() ? "" : ", ", numbers[i]);
    if (end > i) out += fmt::format("{}{}", end == i + 1 ? ", " : "–", numbers[end]);
    i = end + 1;
  }
  return out;
}

std::string brief_json(const Brief& brief) {
  Json headlines = Json::array(), tone = Json::array(), counts = Json::array(), events = Json::array(), comparison = Json::array(), items = Json::array();
  for (const auto& h : brief.headlines) headlines.push_back({{"sentence", h.sentence}, {"cites", h.cites}, {"items", h.items}, {"reports", h.reports}});
  for (const auto& p : brief.tone)
    tone.push_back({{"from", iso8601(p.from_ms)}, {"positive", p.positive.size()}, {"neutral", p.neutral.size()}, {"negative", p.negative.size()}, {"items", {{"positive", p.positive}, {"neutral", p.neutral}, {"negative", p.negative}}}});
  for (const auto& c : brief.counts) counts.push_back({{"id", c.id}, {"name", c.name}, {"value", c.value}, {"items", c.items}});
  for (const auto& e : brief.events) events.push_back({{"type", e.type}, {"trigger", e.trigger}, {"arguments", e.arguments}, {"confidence", e.confidence}, {"time", iso8601(e.at_ms)}, {"cites", e.n}});
  for (const auto& c : brief.comparison)
    comparison.push_back({{"name", c.name}, {"code", c.code}, {"mentions", c.mentions.size()}, {"reports", c.reports}, {"positive", c.positive.size()}, {"neutral", c.neutral.size()}, {"negative", c.negative.size()},
                          {"events", c.events}, {"sentence", c.sentence}, {"cites", c.cites}, {"items", c.mentions}});
  for (const auto& b : brief.items) items.push_back(item_json(b));
  const Json out{{"from", iso8601(brief.request.from_ms)}, {"to", iso8601(brief.request.to_ms)}, {"stream", brief.request.stream}, {"company", brief.request.company.empty() ? "" : brief.company.label},
                 {"code", brief.company.code}, {"language", brief.request.language}, {"cut", brief.cut}, {"headlines", std::move(headlines)}, {"counts", std::move(counts)},
                 {"bucket_seconds", brief.bucket_ms / 1000}, {"tone", std::move(tone)}, {"events", std::move(events)}, {"comparison", std::move(comparison)}, {"items", std::move(items)}, {"label", label_json(brief)}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::string> StreamEngine::brief(const Principal& who, const BriefRequest& asked) {
  constexpr std::size_t most_compared = 20;
  BriefRequest request = asked;
  if (request.to_ms <= 0) request.to_ms = clock_.unix_ms() + 1;   // what came in this millisecond counts
  if (request.from_ms <= 0) request.from_ms = request.to_ms - day_ms;
  if (request.from_ms >= request.to_ms) return Error(ErrorCode::invalid_argument, "'from' must be before 'to'", "from");
  if (request.compare.size() > most_compared) return Error(ErrorCode::invalid_argument, fmt::format("{} names to compare, the limit is {}", request.compare.size(), most_compared), "compare");
  const auto setup = setup_.current();
  auto reader = HENG_TRY(pool_.reader());
  Brief made = HENG_TRY(make_brief(*reader, who.tenant, request, *setup));
  made.provider = settings_.provider;
  switch (request.format) {
    case BriefFormat::html: return brief_html(made);
    case BriefFormat::text: return brief_text(made);
    case BriefFormat::json: break;
  }
  return brief_json(made);
}

}  // namespace heng::streams
