#include "heng/streams/setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <toml++/toml.h>

#include "heng/base/log.h"
#include "heng/store/files.h"
#include "table_reader.h"
#include "webhook.h"

namespace heng::streams {
namespace {

constexpr std::int64_t day_ms = 86'400'000, longest_ms = 400 * day_ms;
constexpr std::size_t most_rules = 500, most_watched = 20'000;
constexpr std::string_view severities[] = {"info", "low", "medium", "high", "critical"};

std::string listed(const std::vector<std::string>& names) { return fmt::format("{}", fmt::join(names, ", ")); }

Result<void> read_condition(TableReader& rule, Condition& out) {
  const auto* when = rule.table("when");
  if (when == nullptr) return rule.finish_value();
  TableReader reader(*when, rule.name() + " when", rule.file());
  if (const auto* label = reader.table("label")) {
    TableReader part(*label, reader.name() + ".label", rule.file());
    part.text("task", out.label_task).texts("is", out.labels).real("confidence", out.label_confidence, 0, 1);
    if (out.labels.empty()) part.fail_at_start("needs is = [\"…\"], the labels that count");
    HENG_TRY(part.finish());
  }
  if (const auto* event = reader.table("event")) {
    TableReader part(*event, reader.name() + ".event", rule.file());
    part.texts("type", out.event_types).real("confidence", out.event_confidence, 0, 1);
    if (out.event_types.empty()) part.fail_at_start("needs type = [\"…\"], event types, or [\"*\"] for any");
    HENG_TRY(part.finish());
  }
  if (const auto* entity = reader.table("entity")) {
    TableReader part(*entity, reader.name() + ".entity", rule.file());
    part.texts("type", out.entity_types).texts("is", out.entity_names);
    if (out.entity_types.empty() && out.entity_names.empty()) part.fail_at_start("needs type or is");
    HENG_TRY(part.finish());
  }
  if (const auto* words = reader.table("keywords")) {
    TableReader part(*words, reader.name() + ".keywords", rule.file());
    part.texts("any", out.any_words).texts("all", out.all_words).texts("none", out.no_words);
    if (out.any_words.empty() && out.all_words.empty()) part.fail_at_start("needs any or all");
    HENG_TRY(part.finish());
  }
  reader.texts("source", out.sources).flag("watched", out.watched);
  return reader.finish();
}

bool is_empty(const Condition& c) {
  return c.labels.empty() && c.event_types.empty() && c.entity_types.empty() && c.entity_names.empty() && c.any_words.empty() && c.all_words.empty() && c.sources.empty() && !c.watched;
}

Result<void> read_name(TableReader& reader, Rule& rule) {
  const auto* node = reader.node("name");
  if (node == nullptr) {
    rule.name_zh = rule.name_en = rule.id;
    return {};
  }
  if (const auto one = node->value_exact<std::string>()) {
    rule.name_zh = rule.name_en = *one;
    return {};
  }
  const auto* both = node->as_table();
  if (both == nullptr) return reader.wrong(*node, "name must be text, or { zh = \"…\", en = \"…\" }");
  TableReader part(*both, reader.name() + " name", reader.file());
  part.text("zh", rule.name_zh).text("en", rule.name_en);
  HENG_TRY(part.finish());
  if (rule.name_zh.empty()) rule.name_zh = rule.name_en;
  if (rule.name_en.empty()) rule.name_en = rule.name_zh;
  return {};
}

Result<Rule> read_rule(const toml::table& table, const std::string& file) {
  Rule rule;
  TableReader reader(table, "[[rule]]", file);
  std::string key = "none";
  reader.text("id", rule.id);
  if (!is_name(rule.id)) reader.fail_at_start("needs an id of letters, digits, - and _, at most 64");
  else reader.rename(fmt::format("[[rule]] \"{}\"", rule.id));
  HENG_TRY(reader.finish_value());
  HENG_TRY(read_name(reader, rule));
  reader.choice("severity", rule.severity, {std::begin(severities), std::end(severities)})
      .choice("key", key, {"none", "company", "person", "source", "stream", "event_type"})
      .text("owner", rule.owner).texts("tenants", rule.tenants).texts("streams", rule.streams).texts("deliver", rule.deliver)
      .whole("count", rule.count, 1, 10'000).duration("window", rule.window_ms, 1000, longest_ms);
  rule.lateness_ms = std::max<std::int64_t>(rule.window_ms, 600'000);
  rule.cooldown_ms = rule.count > 1 ? rule.window_ms : 0;
  reader.duration("lateness", rule.lateness_ms, 0, longest_ms).duration("cooldown", rule.cooldown_ms, 0, longest_ms).text("dedup", rule.dedup);
  for (const auto& [word, value] : {std::pair{"company", Rule::Key::company}, std::pair{"person", Rule::Key::person}, std::pair{"source", Rule::Key::source},
                                    std::pair{"stream", Rule::Key::stream}, std::pair{"event_type", Rule::Key::event_type}})
    if (key == word) rule.key = value;
  HENG_TRY(read_condition(reader, rule.condition));
  if (is_empty(rule.condition)) reader.fail_at_start("has no condition: write when = { label = …, event = …, entity = …, keywords = …, source = […], watched = true }");
  HENG_TRY(reader.finish());
  return rule;
}

Result<Delivery> read_delivery(const toml::table& table, const std::string& file, const std::vector<std::string>& hosts) {
  Delivery out;
  TableReader reader(table, "[[delivery]]", file);
  std::string kind, path;
  reader.text("name", out.name);
  if (!is_name(out.name)) reader.fail_at_start("needs a name of letters, digits, - and _, at most 64");
  else reader.rename(fmt::format("[[delivery]] \"{}\"", out.name));
  reader.choice("kind", kind, {"webhook", "file"}).text("url", out.url).text("secret_env", out.secret_env).text("ca_file", out.ca_file).text("path", path);
  out.kind = kind == "webhook" ? Delivery::Kind::webhook : Delivery::Kind::file;
  out.path = path;
  if (kind.empty()) reader.fail_at_start("needs kind = \"webhook\" or \"file\"");
  if (kind == "file" && path.empty()) reader.fail_at_start("needs path");
  if (kind == "webhook" && out.secret_env.empty()) reader.fail_at_start("needs secret_env, the environment variable that holds the signing key");
  HENG_TRY(reader.finish());
  if (kind == "webhook")
    if (const auto allowed = check_webhook_url(out.url, hosts); !allowed.ok()) return reader.wrong(*table.get(table.contains("url") ? "url" : "kind"), allowed.error().message);
  return out;
}

Result<WatchedName> read_watched(const toml::table& table, const std::string& file) {
  WatchedName out;
  TableReader reader(table, "[[watch]]", file);
  reader.text("name", out.name).text("code", out.code).texts("aliases", out.aliases);
  if (out.name.empty()) reader.fail_at_start("needs a name");
  HENG_TRY(reader.finish());
  return out;
}

Result<StreamSetup> read_stream(const toml::table& table, const std::string& file) {
  StreamSetup out;
  TableReader reader(table, "[[stream]]", file);
  reader.text("name", out.name).text("tenant", out.tenant).texts("tasks", out.tasks);
  if (!is_name(out.name)) reader.fail_at_start("needs a name of letters, digits, - and _, at most 64");
  HENG_TRY(reader.finish());
  return out;
}

template <class T, class Read>
Result<void> read_all(const toml::table& root, const char* key, const std::string& file, std::vector<T>& out, std::size_t most, Read read) {
  const auto* node = root.get(key);
  if (node == nullptr) return {};
  const auto* array = node->as_array();
  if (array == nullptr) return Error(ErrorCode::malformed_input, fmt::format("{}, line {}: write [[{}]], with two brackets", file, node->source().begin.line, key));
  if (array->size() > most) return Error(ErrorCode::malformed_input, fmt::format("{}: {} of [[{}]], the limit is {}", file, array->size(), key, most));
  for (const auto& item : *array) {
    const auto* table = item.as_table();
    if (table == nullptr) return Error(ErrorCode::malformed_input, fmt::format("{}, line {}: [[{}]] must be a table", file, item.source().begin.line, key));
    out.push_back(HENG_TRY(read(*table)));
  }
  return {};
}

/// Names that must be one of a kind, and deliveries that must exist.
Result<void> check_names(const toml::table& root, const Setup& setup, const std::string& file) {
  const auto line_of = [&](const char* kind, std::size_t i) { return (*root.get(kind)->as_array())[i].source().begin.line; };
  std::set<std::string> seen;
  for (std::size_t i = 0; i < setup.rules.size(); ++i) {
    const auto& rule = setup.rules[i];
    if (!seen.insert(rule.id).second) return Error(ErrorCode::malformed_input, fmt::format("{}, line {}: the rule id \"{}\" is used twice", file, line_of("rule", i), rule.id));
    for (const auto& name : rule.deliver) {
      if (setup.delivery(name) != nullptr) continue;
      std::vector<std::string> known;
      for (const auto& delivery : setup.deliveries) known.push_back(delivery.name);
      return Error(ErrorCode::malformed_input, fmt::format("{}, line {}: [[rule]] \"{}\" delivers to \"{}\", which no [[delivery]] names; there are: {}", file, line_of("rule", i), rule.id, name, known.empty() ? "none" : listed(known)));
    }
  }
  seen.clear();
  for (std::size_t i = 0; i < setup.deliveries.size(); ++i)
    if (!seen.insert(setup.deliveries[i].name).second)
      return Error(ErrorCode::malformed_input, fmt::format("{}, line {}: the delivery \"{}\" is named twice", file, line_of("delivery", i), setup.deliveries[i].name));
  return {};
}

Result<void> read_root(const toml::table& root, const std::string& file, Setup& out) {
  TableReader reader(root, "streams.toml", file);
  std::string offset;
  reader.text("utc_offset", offset);
  for (const char* known : {"watch", "stream", "delivery", "rule"}) (void)reader.node(known);
  if (!offset.empty()) {
    const bool formed = offset.size() == 6 && (offset[0] == '+' || offset[0] == '-') && offset[3] == ':' && std::all_of(offset.begin() + 1, offset.end(), [](char c) { return c == ':' || (c >= '0' && c <= '9'); });
    if (!formed) return reader.wrong(*root.get("utc_offset"), "utc_offset must be like \"+08:00\"");
    out.utc_offset_minutes = ((offset[1] - '0') * 10 + (offset[2] - '0')) * 60 + (offset[4] - '0') * 10 + (offset[5] - '0');
    if (offset[0] == '-') out.utc_offset_minutes = -out.utc_offset_minutes;
  }
  if (const auto* table = reader.table("duplicates")) {
    TableReader part(*table, "[duplicates]", file);
    int items = static_cast<int>(out.duplicate_window_items);
    part.real("similarity", out.similarity, 0.5, 1).duration("window", out.duplicate_window_ms, 60'000, longest_ms).whole("items", items, 1, 10'000'000);
    out.duplicate_window_items = items;
    HENG_TRY(part.finish());
  }
  if (const auto* table = reader.table("webhooks")) {
    TableReader part(*table, "[webhooks]", file);
    part.texts("allow", out.webhook_hosts);
    HENG_TRY(part.finish());
  }
  HENG_TRY(reader.finish());
  HENG_TRY(read_all(root, "watch", file, out.watched, most_watched, [&](const toml::table& t) { return read_watched(t, file); }));
  HENG_TRY(read_all(root, "stream", file, out.streams, most_rules, [&](const toml::table& t) { return read_stream(t, file); }));
  HENG_TRY(read_all(root, "delivery", file, out.deliveries, most_rules, [&](const toml::table& t) { return read_delivery(t, file, out.webhook_hosts); }));
  HENG_TRY(read_all(root, "rule", file, out.rules, most_rules, [&](const toml::table& t) { return read_rule(t, file); }));
  return check_names(root, out, file);
}

}  // namespace

const Delivery* Setup::delivery(std::string_view name) const {
  for (const auto& each : deliveries)
    if (each.name == name) return &each;
  return nullptr;
}

Result<Setup> parse_setup(std::string_view toml, const std::string& file) {
  Setup out;
  try {
    const toml::table root = toml::parse(toml);
    HENG_TRY(read_root(root, file, out));
  } catch (const toml::parse_error& error) {
    return Error(ErrorCode::malformed_input, fmt::format("{}, line {}: {}", file, error.source().begin.line, error.description()));
  }
  return out;
}

std::optional<std::int64_t> parse_duration(std::string_view text) {
  std::int64_t value = 0;
  const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || rest + 1 != text.data() + text.size() || value < 0 || value > 1'000'000'000) return std::nullopt;
  switch (*rest) {
    case 's': return value * 1000;
    case 'm': return value * 60'000;
    case 'h': return value * 3'600'000;
    case 'd': return value * day_ms;
    default: return std::nullopt;
  }
}

std::string describe(const Rule& rule) {
  std::vector<std::string> parts;
  const auto& c = rule.condition;
  if (!c.labels.empty()) parts.push_back(fmt::format("label{} is {} (confidence ≥ {:.2f})", c.label_task.empty() ? "" : " of " + c.label_task, listed(c.labels), c.label_confidence));
  if (!c.event_types.empty()) parts.push_back(fmt::format("event {} (confidence ≥ {:.2f})", listed(c.event_types), c.event_confidence));
  if (!c.entity_types.empty()) parts.push_back("entity of type " + listed(c.entity_types));
  if (!c.entity_names.empty()) parts.push_back("entity is " + listed(c.entity_names));
  if (!c.any_words.empty()) parts.push_back("holds any of " + listed(c.any_words));
  if (!c.all_words.empty()) parts.push_back("holds all of " + listed(c.all_words));
  if (!c.no_words.empty()) parts.push_back("holds none of " + listed(c.no_words));
  if (!c.sources.empty()) parts.push_back("from " + listed(c.sources));
  if (c.watched) parts.push_back("about a watched name");
  constexpr const char* keys[] = {"", " for each company", " for each person", " for each source", " for each stream", " for each event type"};
  return fmt::format("{} × [{}]{} within {} s; cooldown {} s", rule.count, fmt::join(parts, " and "), keys[static_cast<int>(rule.key)], rule.window_ms / 1000, rule.cooldown_ms / 1000);
}

SetupFile::SetupFile(std::filesystem::path file, const Clock& clock) : file_(std::move(file)), clock_(clock) {}

void SetupFile::look() {
  std::error_code failed;
  const auto written = std::filesystem::last_write_time(file_, failed);
  const auto size = failed ? 0 : std::filesystem::file_size(file_, failed);
  if (looked_ && written == written_ && size == size_) return;
  looked_ = true;
  written_ = written;
  size_ = size;
  if (failed) {   // no file: no rules
    setup_ = std::make_shared<Setup>();
    error_.clear();
    return;
  }
  constexpr std::uint64_t most_bytes = 8 << 20;
  auto text = store::read_whole_file(file_, most_bytes);
  auto parsed = text.ok() ? parse_setup(*text, file_.filename().string()) : Result<Setup>(text.error());
  if (!parsed.ok()) {
    error_ = parsed.error().message;
    log::error("streams_setup_refused", {{"reason", error_}, {"effect", "the rules before stay"}});
    return;
  }
  for (auto& delivery : parsed->deliveries)
    if (!delivery.path.empty() && delivery.path.is_relative()) delivery.path = file_.parent_path() / delivery.path;
  setup_ = std::make_shared<const Setup>(std::move(*parsed));
  error_.clear();
  loaded_ms_ = clock_.unix_ms();
}

std::shared_ptr<const Setup> SetupFile::current() {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (!looked_ || now - looked_at_ >= std::chrono::milliseconds(200)) {
    looked_at_ = now;
    look();
  }
  return setup_;
}

std::string SetupFile::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

std::int64_t SetupFile::loaded_ms() const {
  const std::lock_guard lock(mutex_);
  return loaded_ms_;
}

std::string setup_template() {
  return R"toml(# Streams and alerts. Read again when it changes; a broken file is refused (heng alerts check) and the old rules stay.
# utc_offset = "+08:00"              # of times in messages that state none; default +00:00

# [duplicates]
# similarity = 0.8                   # from here on a message repeats another one (Jaccard, character shingles)
# window = "72h"                     # how long a message is remembered
# items = 200000                     # how many at most, for each stream

# [[stream]]                         # what messages are labelled with that come in over HTTP
# name = "news"
# tasks = ["sentiment-zh", "entities"]

# [[watch]]                          # names that matter to you
# name = "贵州茅台"
# code = "600519.SH"
# aliases = ["茅台", "Moutai"]

# [webhooks]
# allow = ["127.0.0.1:9000"]         # hosts that alerts may be sent to; https, or http to this machine

# [[delivery]]
# name = "desk"
# kind = "webhook"
# url = "http://127.0.0.1:9000/alerts"
# secret_env = "HENG_DESK_SECRET"    # signs: X-Heng-Signature: t=UNIX,v1=HEX(HMAC-SHA256(secret, "t.body"))

# [[delivery]]
# name = "file"
# kind = "file"
# path = "alerts.jsonl"

# [[rule]]
# id = "negative-company"
# name = { zh = "一小时内同一公司三条负面", en = "Three negative items on one company within an hour" }
# severity = "high"                  # info, low, medium, high, critical
# key = "company"                    # none, company, person, source, stream, event_type
# count = 3
# window = "1h"
# lateness = "1h"                    # older items than this do not count
# cooldown = "6h"                    # then silence for the same dedup key
# dedup = "{rule}|{key}"
# owner = "market-risk"
# deliver = ["desk", "file"]
# when = { label = { task = "sentiment-zh", is = ["negative"], confidence = 0.7 } }

# [[rule]]
# id = "fraud-watched"
# name = { zh = "关注名单涉及欺诈", en = "Fraud about a watched name" }
# severity = "critical"
# when = { watched = true, keywords = { any = ["欺诈", "造假", "fraud"], none = ["澄清"] } }
)toml";
}

}  // namespace heng::streams
