#include "heng/streams/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "alerting.h"
#include "companies.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/streams/clean.h"
#include "prepared.h"
#include "records.h"
#include "table_reader.h"

namespace heng::streams {
namespace {

constexpr std::size_t most_errors = 100, most_tasks = 16;

Result<void> check_stream_name(const std::string& name) {
  if (is_name(name)) return {};
  return Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is no name of a stream: letters, digits, - and _, 1 to 64 of them", name.substr(0, 80)), "stream");
}

}  // namespace

StreamEngine::StreamEngine(EngineSettings settings, store::Pool& pool, SetupFile& setup, Labeller* labeller, Extractor* extractor, Audit* audit, const Clock& clock, Random& random)
    : settings_(std::move(settings)), pool_(pool), setup_(setup), labeller_(labeller), extractor_(extractor), audit_(audit), clock_(clock), random_(random) {}

Result<std::unique_ptr<StreamEngine>> StreamEngine::create(EngineSettings settings, store::Pool& pool, SetupFile& setup, Labeller* labeller, Extractor* extractor, Audit* audit,
                                                           const Clock& clock, Random& random) {
  std::unique_ptr<StreamEngine> made(new StreamEngine(std::move(settings), pool, setup, labeller, extractor, audit, clock, random));
  (void)setup.current();
  if (made->settings_.deliver && made->settings_.alert_json) made->deliverer_ = std::jthread([engine = made.get()](std::stop_token stop) { engine->run_deliveries(stop); });
  return made;
}

StreamEngine::~StreamEngine() {
  if (deliverer_.joinable()) {
    deliverer_.request_stop();
    raised();
    deliverer_.join();
  }
}

std::shared_ptr<std::mutex> StreamEngine::turn_of(const TenantId& tenant, const std::string& stream) {
  const std::lock_guard lock(turns_mutex_);
  auto& turn = turns_[tenant.value + "\n" + stream];
  if (!turn) turn = std::make_shared<std::mutex>();
  return turn;
}

void StreamEngine::raised() {
  {
    const std::lock_guard lock(raised_mutex_);
    ++raised_count_;
  }
  raised_condition_.notify_all();
}

Result<void> StreamEngine::tell_copies_apart(const Batch& batch, const Setup& setup, std::vector<Prepared>& prepared) {
  const std::int64_t oldest = clock_.unix_ms() - setup.duplicate_window_ms;
  auto reader = HENG_TRY(pool_.reader());
  const auto stream = HENG_TRY(find_stream(*reader, batch.tenant, batch.stream));
  BatchCopies within;
  for (std::size_t i = 0; i < prepared.size(); ++i) {
    Prepared& p = prepared[i];
    if (within.find_exact(prepared, i, p)) continue;
    if (stream) {
      const auto hash = HENG_TRY(from_hex(p.item.sha256));
      const auto known = HENG_TRY(find_copy(*reader, *stream, hash, oldest));
      if (known) {
        p.fate = !p.item.id.empty() && p.item.id == known->external_id ? Prepared::Fate::replay : Prepared::Fate::copy;
        p.number = known->number;
        within.remember_exact(prepared, i);
        continue;
      }
    }
    p.shingles = shingles(p.item.text);
    p.fingerprint = fingerprint(p.shingles);
    p.figures = figures(p.item.text);
    within.find_near(prepared, i, setup.similarity, p);
    if (stream) {
      for (const auto number : HENG_TRY(find_candidates(*reader, *stream, p.fingerprint, oldest))) {
        const auto candidate = HENG_TRY(read_candidate(*reader, number));
        constexpr double error_of_estimate = 0.25;
        if (estimate(p.fingerprint, candidate.fingerprint) < setup.similarity - error_of_estimate) continue;
        const double similarity = jaccard(p.shingles, shingles(candidate.text));
        if (similarity < setup.similarity || similarity <= p.item.similarity || figures(candidate.text) != p.figures) continue;
        p.fate = Prepared::Fate::near;
        p.number = number;
        p.twin.reset();
        p.item.similarity = similarity;
      }
    }
    within.remember(prepared, i);
  }
  return {};
}

Result<void> StreamEngine::read_with(const Batch& batch, const std::string& task, std::vector<Prepared>& prepared, const std::vector<std::size_t>& fresh, std::stop_token stop) {
  const TaskKind kind = task == settings_.entities_task ? TaskKind::events : settings_.resolve ? HENG_TRY(settings_.resolve(task)) : TaskKind::label;
  std::vector<TextItem> items;
  for (const auto i : fresh) items.push_back({"", prepared[i].item.text});
  const auto refused = [&](std::size_t at, const Error& error) { prepared[fresh[at]].item.errors.push_back(task + ": " + error.message); };
  if (kind == TaskKind::label) {
    if (labeller_ == nullptr) return Error(ErrorCode::unavailable, fmt::format("task \"{}\" needs a labeller and there is none here", task), "task");
    auto outcomes = HENG_TRY(labeller_->label({.tenant = batch.tenant, .task = task, .items = std::move(items), .tier = settings_.tier}, stop));
    for (std::size_t i = 0; i < outcomes.size() && i < fresh.size(); ++i) {
      if (!outcomes[i].ok()) refused(i, outcomes[i].error());
      else prepared[fresh[i]].item.labels.push_back({task, outcomes[i]->label, outcomes[i]->confidence, tier_name(outcomes[i]->tier)});
    }
    return {};
  }
  if (extractor_ == nullptr) return Error(ErrorCode::unavailable, fmt::format("task \"{}\" needs an extractor and there is none here", task), "task");
  auto outcomes = HENG_TRY(extractor_->extract({.tenant = batch.tenant, .task = task, .items = std::move(items), .tier = settings_.tier}, stop));
  for (std::size_t i = 0; i < outcomes.size() && i < fresh.size(); ++i) {
    if (!outcomes[i].ok()) {
      refused(i, outcomes[i].error());
      continue;
    }
    for (auto& event : outcomes[i]->events) prepared[fresh[i]].item.events.push_back(std::move(event));
    for (const auto& e : outcomes[i]->entities) {
      auto& entities = prepared[fresh[i]].item.entities;
      const bool known = std::any_of(entities.begin(), entities.end(), [&](const StreamEntity& k) { return k.type == e.type && k.word == e.word && k.id == e.id; });
      if (!known) entities.push_back({e.type, e.word, e.id, e.name});
    }
  }
  return {};
}

Result<void> StreamEngine::read(const Batch& batch, std::vector<Prepared>& prepared, std::stop_token stop) {
  std::vector<std::size_t> fresh;
  for (std::size_t i = 0; i < prepared.size(); ++i)
    if (prepared[i].fate == Prepared::Fate::fresh) fresh.push_back(i);
  std::vector<std::string> tasks = batch.tasks;
  if (!tasks.empty() && !settings_.entities_task.empty() && extractor_ != nullptr && std::find(tasks.begin(), tasks.end(), settings_.entities_task) == tasks.end())
    tasks.push_back(settings_.entities_task);
  if (!fresh.empty())
    for (const auto& task : tasks) HENG_TRY(read_with(batch, task, prepared, fresh, stop));
  const auto setup = setup_.current();
  for (const auto i : fresh) {
    StreamItem& item = prepared[i].item;
    for (auto& watched : watched_in(item.text, setup->watched)) {
      const bool known = std::any_of(item.entities.begin(), item.entities.end(), [&](const StreamEntity& e) {
        return e.type == "company" && (watched.id.empty() ? e.name == watched.name || e.word == watched.word : e.id == watched.id);
      });
      if (!known) item.entities.push_back(std::move(watched));
    }
  }
  return {};
}

Result<PushReport> StreamEngine::commit(const Batch& batch, const Setup& setup, std::vector<Prepared>& prepared) {
  PushReport report;
  const std::int64_t now = clock_.unix_ms(), oldest = now - setup.duplicate_window_ms;
  auto writer = HENG_TRY(pool_.writer());
  store::Database& db = *writer;
  auto transaction = HENG_TRY(store::Transaction::begin(db));
  StreamRow stream = HENG_TRY(ensure_stream(db, batch.tenant, batch.stream));
  std::int64_t replays = 0;
  for (auto& p : prepared) {
    if (p.twin) p.number = prepared[*p.twin].number;   // of this batch: has its number by now
    if (p.fate == Prepared::Fate::fresh) {
      // another process may have stored the same text since it was looked for
      const auto hash = HENG_TRY(from_hex(p.item.sha256));
      const auto known = HENG_TRY(find_copy(db, stream, hash, oldest));
      if (known) {
        p.fate = !p.item.id.empty() && p.item.id == known->external_id ? Prepared::Fate::replay : Prepared::Fate::copy;
        p.number = known->number;
      }
    }
    switch (p.fate) {
      case Prepared::Fate::replay: ++report.duplicates; ++replays; break;
      case Prepared::Fate::copy:
        ++report.duplicates;
        HENG_TRY(db.run("UPDATE item SET copies = copies + 1 WHERE number = ?", p.number));
        break;
      case Prepared::Fate::near:
        ++report.near_duplicates;
        p.item.duplicate_of = p.number;
        HENG_TRY(db.run("UPDATE item SET near_copies = near_copies + 1 WHERE number = ?", p.number));
        p.number = HENG_TRY(insert_item(db, stream, p.item, p.fingerprint));
        break;
      case Prepared::Fate::fresh:
        ++report.accepted;
        p.item.similarity = 0;
        p.number = p.item.number = HENG_TRY(insert_item(db, stream, p.item, p.fingerprint));
        HENG_TRY(insert_bands(db, stream, p.number, p.fingerprint));
        ++stream.live;
        stream.newest_ms = std::max(stream.newest_ms, time_of(p.item.event_ms, p.item.published_ms, p.item.ingest_ms));
        report.alerts += HENG_TRY(evaluate(db, setup, stream, p.item, now));
        break;
    }
  }
  HENG_TRY(prune_bands(db, stream, oldest, setup.duplicate_window_items, static_cast<int>(2 * prepared.size() + 64)));
  const auto rejected = static_cast<std::int64_t>(batch.unreadable.size());
  HENG_TRY(db.run("UPDATE stream SET tasks = ?, duplicates = duplicates + ?, near_duplicates = near_duplicates + ?, items = items + ?, rejected = rejected + ?, last_ingest_ms = ?, newest_ms = ?, "
                  "live = ?, pruned = ? WHERE id = ?",
                  batch.tasks.empty() ? stream.tasks : text::join(batch.tasks, ","), report.duplicates - replays, report.near_duplicates, report.accepted, rejected, now, stream.newest_ms, stream.live,
                  stream.pruned, stream.id));
  for (const auto& position : batch.positions)
    HENG_TRY(db.run("INSERT INTO position (stream, source, offset, line, head, head_bytes) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (stream, source) DO UPDATE SET "
                    "offset = excluded.offset, line = excluded.line, head = excluded.head, head_bytes = excluded.head_bytes",
                    stream.id, position.source, position.offset, position.line, position.head, position.head_bytes));
  HENG_TRY(transaction.commit());
  return report;
}

Result<PushReport> StreamEngine::process(const Batch& given, std::stop_token stop) {
  HENG_TRY(check_stream_name(given.stream));
  if (given.tasks.size() > most_tasks) return Error(ErrorCode::invalid_argument, fmt::format("{} tasks, the limit is {}", given.tasks.size(), most_tasks), "task");
  Batch batch = given;
  const auto turn = turn_of(batch.tenant, batch.stream);
  const std::lock_guard lock(*turn);
  const auto setup = setup_.current();
  if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
  std::vector<Prepared> prepared;
  const std::int64_t now = clock_.unix_ms();
  for (std::size_t i = 0; i < batch.messages.size(); ++i) {
    const Message& message = batch.messages[i];
    auto text = clean(message.text);
    if (!text.ok()) {
      batch.unreadable.emplace_back(static_cast<std::int64_t>(i), text.error().message);
      continue;
    }
    Prepared p;
    p.item.stream = batch.stream;
    p.item.id = text::replace_invalid_utf8(message.id);
    p.item.source = text::replace_invalid_utf8(message.source);
    p.item.sha256 = sha256_hex(*text);
    p.item.text = std::move(*text);
    p.item.event_ms = message.event_ms;
    p.item.published_ms = message.published_ms;
    p.item.ingest_ms = now;
    prepared.push_back(std::move(p));
  }
  HENG_TRY(tell_copies_apart(batch, *setup, prepared));
  HENG_TRY(read(batch, prepared, stop));
  auto report = HENG_TRY(commit(batch, *setup, prepared));
  report.rejected = static_cast<std::int64_t>(batch.unreadable.size());
  std::sort(batch.unreadable.begin(), batch.unreadable.end());
  if (batch.unreadable.size() > most_errors) batch.unreadable.resize(most_errors);
  report.errors = std::move(batch.unreadable);
  if (report.alerts > 0) raised();
  return report;
}

Result<std::vector<Position>> StreamEngine::positions(const TenantId& tenant, const std::string& stream) {
  auto reader = HENG_TRY(pool_.reader());
  auto row = HENG_TRY(reader->prepare("SELECT p.source, p.offset, p.line, p.head, p.head_bytes FROM position p JOIN stream s ON s.id = p.stream WHERE s.tenant = ? AND s.name = ?"));
  row.bind_all(tenant.value, stream);
  std::vector<Position> out;
  while (HENG_TRY(row.step())) out.push_back({row.string(0), row.integer(1), row.integer(2), row.string(3), row.integer(4)});
  return out;
}

Result<PushReport> StreamEngine::push(const Principal& who, const std::string& stream, const std::vector<std::string>& tasks, std::string_view body, std::stop_token stop) {
  HENG_TRY(check_stream_name(stream));
  struct Counted {
    std::atomic<int>& count;
    const int now;
    explicit Counted(std::atomic<int>& c) : count(c), now(++c) {}
    ~Counted() { --count; }
  } counted(pushes_);
  if (counted.now > settings_.most_waiting_pushes) return Error(ErrorCode::overloaded, fmt::format("{} pushes are being worked on; send this one again in a moment", settings_.most_waiting_pushes));
  const auto setup = setup_.current();
  Batch batch;
  batch.tenant = who.tenant;
  batch.stream = stream;
  batch.tasks = tasks;
  if (tasks.empty())
    for (const auto& each : setup->streams)
      if (each.name == stream && each.tenant == who.tenant.value) batch.tasks = each.tasks;
  const auto lines = HENG_TRY(split_body(body, settings_.most_messages));
  std::vector<std::int64_t> places;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    auto message = parse_message(lines[i], setup->utc_offset_minutes);
    if (!message.ok()) {
      batch.unreadable.emplace_back(static_cast<std::int64_t>(i), message.error().message);
      continue;
    }
    batch.messages.push_back(std::move(*message));
    places.push_back(static_cast<std::int64_t>(i));
  }
  // process() counts places among the readable messages, the caller wants those of the body: what could not be read is told below zero
  for (auto& [place, reason] : batch.unreadable) place = -1 - place;
  auto report = HENG_TRY(process(batch, stop));
  for (auto& [place, reason] : report.errors) place = place < 0 ? -1 - place : places[static_cast<std::size_t>(place)];
  std::sort(report.errors.begin(), report.errors.end());
  return report;
}

}  // namespace heng::streams
