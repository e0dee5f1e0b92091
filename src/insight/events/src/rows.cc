#include "rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "heng/base/hash.h"
#include "heng/base/text.h"

namespace heng::insight_events {
namespace {

using nlohmann::json;

Error bad(std::string message) { return {ErrorCode::malformed_input, std::move(message)}; }

Result<Mention> parse_mention(const json& in, const std::u32string& content) {
  if (!in.is_object() || !in.contains("role") || !in["role"].is_string()) return bad("a mention without \"role\"");
  Mention mention;
  mention.role = in["role"].get<std::string>();
  const auto span = in.find("span");
  if (span == in.end() || !span->is_array() || span->size() != 2 || !(*span)[0].is_number_unsigned() || !(*span)[1].is_number_unsigned()) {
    return bad(fmt::format("mention \"{}\": \"span\" must be [begin, end) in characters", mention.role));
  }
  mention.begin = (*span)[0].get<std::size_t>();
  mention.end = (*span)[1].get<std::size_t>();
  if (mention.begin >= mention.end || mention.end > content.size()) {
    return bad(fmt::format("mention \"{}\": span [{}, {}) is outside the text of {} characters", mention.role, mention.begin, mention.end, content.size()));
  }
  mention.word = text::from_utf32(std::u32string_view(content).substr(mention.begin, mention.end - mention.begin));
  if (in.contains("word") && in["word"].is_string() && in["word"].get<std::string>() != mention.word) {
    return bad(fmt::format("mention \"{}\": the text at [{}, {}) is \"{}\", not \"{}\"", mention.role, mention.begin, mention.end, mention.word,
                           in["word"].get<std::string>()));
  }
  return mention;
}

}  // namespace

Result<EventRow> parse_event_row(const std::string& line) {
  if (!text::is_valid_utf8(line)) return bad("not UTF-8");
  const json in = json::parse(line, nullptr, false);
  if (!in.is_object()) return bad("not a JSON object");
  EventRow row;
  if (in.contains("id")) row.id = in["id"].is_string() ? in["id"].get<std::string>() : in["id"].dump();
  const char* field = in.contains("content") ? "content" : "text";
  if (!in.contains(field) || !in[field].is_string()) return bad("no \"content\"");
  row.content = in[field].get<std::string>();
  if (!in.contains("events") || !in["events"].is_array()) return bad("no list \"events\" (empty where there is none)");
  const std::u32string content = text::to_utf32(row.content);
  for (const json& item : in["events"]) {
    if (!item.is_object() || !item.contains("type") || !item["type"].is_string()) return bad("an event without \"type\"");
    Event event{.type = item["type"].get<std::string>(), .confidence = 1, .mentions = {}};
    int triggers = 0;
    if (item.contains("mentions") && item["mentions"].is_array()) {
      for (const json& mention : item["mentions"]) {
        event.mentions.push_back(HENG_TRY(parse_mention(mention, content)));
        triggers += event.mentions.back().role == trigger_role;
      }
    }
    if (triggers != 1) return bad(fmt::format("event \"{}\" has {} mentions with the role \"trigger\"; it needs one", event.type, triggers));
    row.events.push_back(std::move(event));
  }
  return row;
}

Result<EventRows> read_event_rows(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) return Error(ErrorCode::not_found, path.string() + ": cannot be opened");
  EventRows out;
  Sha256Stream hash;
  std::string line;
  for (std::int64_t number = 1; std::getline(file, line); ++number) {
    hash.update(line);
    hash.update("\n");
    if (text::trim(line).empty()) continue;
    auto row = parse_event_row(line);
    if (row.ok()) out.rows.push_back(std::move(*row));
    else out.errors.push_back(fmt::format("{}:{}: {}", path.string(), number, row.error().message));
  }
  if (out.rows.empty()) {
    return bad(fmt::format("{}: no row that can be read{}", path.string(), out.errors.empty() ? "" : "; first: " + out.errors.front()));
  }
  out.sha256 = to_hex(hash.finish());
  return out;
}

std::vector<Chunk> chunks(const WordPiece& words, std::u32string_view text, std::size_t limit) {
  static constexpr std::u32string_view sentence_ends = U"。！？；!?;\n";
  const auto pieces = words.split(text);
  std::vector<Chunk> out;
  std::size_t at = 0;
  while (at < pieces.size()) {
    std::size_t end = std::min(pieces.size(), at + limit);
    if (end < pieces.size()) {
      for (std::size_t i = end; i > at + limit / 4; --i) {
        if (sentence_ends.find(text[pieces[i - 1].begin]) != std::u32string_view::npos) {
          end = i;
          break;
        }
      }
    }
    Chunk chunk;
    chunk.pieces.assign(pieces.begin() + static_cast<std::ptrdiff_t>(at), pieces.begin() + static_cast<std::ptrdiff_t>(end));
    chunk.ids.push_back(words.cls());
    for (const Piece& piece : chunk.pieces) chunk.ids.push_back(piece.id);
    chunk.ids.push_back(words.sep());
    out.push_back(std::move(chunk));
    at = end;
  }
  return out;
}

Schema schema_of(const std::vector<EventRow>& rows) {
  std::map<std::string, int> count;
  for (const auto& row : rows) {
    for (const auto& event : row.events) ++count[event.type];
  }
  Schema schema;
  for (const auto& [type, n] : count) schema.types.push_back(type);
  std::stable_sort(schema.types.begin(), schema.types.end(), [&](const auto& a, const auto& b) { return count[a] > count[b]; });
  schema.type_roles.resize(schema.types.size());
  for (const auto& row : rows) {
    for (const auto& event : row.events) {
      const auto type = static_cast<std::size_t>(std::find(schema.types.begin(), schema.types.end(), event.type) - schema.types.begin());
      for (const auto& mention : event.mentions) {
        if (mention.role == trigger_role) continue;
        auto role = std::find(schema.roles.begin(), schema.roles.end(), mention.role);
        if (role == schema.roles.end()) role = schema.roles.insert(role, mention.role);
        const int index = static_cast<int>(role - schema.roles.begin());
        auto& mine = schema.type_roles[type];
        if (std::find(mine.begin(), mine.end(), index) == mine.end()) mine.push_back(index);
      }
    }
  }
  return schema;
}

namespace {

/// Rows of the pieces that cover [begin, end) exactly, behind [CLS]; false where no pieces do.
bool locate(const Chunk& chunk, std::size_t begin, std::size_t end, SpanLabel& out) {
  const auto& p = chunk.pieces;
  const auto first = std::lower_bound(p.begin(), p.end(), begin, [](const Piece& piece, std::size_t at) { return piece.begin < at; });
  if (first == p.end() || first->begin != begin) return false;
  const auto last = std::lower_bound(first, p.end(), end, [](const Piece& piece, std::size_t at) { return piece.end < at; });
  if (last == p.end() || last->end != end) return false;
  out.begin = static_cast<int>(first - p.begin()) + 1;
  out.last = static_cast<int>(last - p.begin()) + 1;
  return true;
}

/// The event of that type and trigger. Rows often tell of several with one trigger (甲、乙分别减持…): the network reads a
/// trigger once, so it learns all of their arguments together.
Example::Event& event_at(Example& example, const SpanLabel& trigger) {
  for (auto& event : example.events) {
    if (event.type == trigger.label && event.begin == trigger.begin && event.last == trigger.last) return event;
  }
  example.triggers.push_back(trigger);
  return example.events.emplace_back(Example::Event{trigger.label, trigger.begin, trigger.last, {}});
}

}  // namespace

std::vector<Example> examples_of(const EventRow& row, const Schema& schema, const WordPiece& words, std::size_t limit, int& lost) {
  std::vector<Example> out;
  const std::u32string content = text::to_utf32(row.content);
  int placed = 0, mentions = 0;
  for (const auto& event : row.events) mentions += static_cast<int>(event.mentions.size());
  for (const Chunk& chunk : chunks(words, content, limit)) {
    Example example;
    example.ids = chunk.ids;
    for (const Event& event : row.events) {
      const auto type = std::find(schema.types.begin(), schema.types.end(), event.type);
      const auto trigger = std::find_if(event.mentions.begin(), event.mentions.end(), [](const Mention& m) { return m.role == trigger_role; });
      SpanLabel at;
      if (type == schema.types.end() || trigger == event.mentions.end() || !locate(chunk, trigger->begin, trigger->end, at)) continue;
      at.label = static_cast<int>(type - schema.types.begin());
      ++placed;
      Example::Event& known = event_at(example, at);
      const auto& roles_of = schema.type_roles[static_cast<std::size_t>(at.label)];
      for (const Mention& mention : event.mentions) {
        if (mention.role == trigger_role) continue;
        const auto role = std::find(schema.roles.begin(), schema.roles.end(), mention.role);
        const auto slot = std::find(roles_of.begin(), roles_of.end(), static_cast<int>(role - schema.roles.begin()));
        SpanLabel span;
        if (slot == roles_of.end() || !locate(chunk, mention.begin, mention.end, span)) continue;
        span.label = static_cast<int>(slot - roles_of.begin());
        known.arguments.push_back(span);  // the loss takes a span that comes twice once
        ++placed;
      }
    }
    out.push_back(std::move(example));
  }
  lost += mentions - placed;
  return out;
}

}  // namespace heng::insight_events
