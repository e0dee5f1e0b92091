#include "heng/streams/watch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "follow.h"
#include "heng/base/log.h"
#include "heng/store/files.h"

namespace heng::streams {
namespace {

namespace fs = std::filesystem;

/// The file of stored items. What it lacks is taken from the store, so after a kill it ends up the same.
class OutFile {
 public:
  /// Cuts off a half line and finds the last item. Errors: conflict, those of the file.
  Result<void> open(const fs::path& path, const std::string& stream) {
    path_ = path;
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (descriptor_ < 0) return store::file_error(errno, "cannot open", path);
    const auto size = ::lseek(descriptor_, 0, SEEK_END);
    std::string tail;
    off_t begin = size;
    constexpr off_t block = 1 << 16;
    while (begin > 0 && std::count(tail.begin(), tail.end(), '\n') < 2) {
      const off_t from = std::max<off_t>(0, begin - block);
      std::string bytes(static_cast<std::size_t>(begin - from), '\0');
      if (::pread(descriptor_, bytes.data(), bytes.size(), from) != static_cast<ssize_t>(bytes.size())) return store::file_error(errno, "cannot read", path);
      tail = bytes + tail;
      begin = from;
    }
    const auto end = tail.rfind('\n');
    const off_t whole = end == std::string::npos ? begin : begin + static_cast<off_t>(end) + 1;
    if (::ftruncate(descriptor_, whole) != 0) return store::file_error(errno, "cannot write", path);
    ::lseek(descriptor_, 0, SEEK_END);
    if (end == std::string::npos) return {};
    const auto start = tail.rfind('\n', end == 0 ? 0 : end - 1);
    const auto first = start == std::string::npos || start == end ? 0 : start + 1;
    const auto last = nlohmann::json::parse(tail.substr(first, end - first), nullptr, false);
    if (!last.is_object() || !last.contains("number") || !last["number"].is_number_integer() || last.value("stream", "") != stream)
      return Error(ErrorCode::conflict, fmt::format("{} is not the output of stream {}; name another file", path.string(), stream), "out");
    last_ = last["number"];
    return {};
  }
  ~OutFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  /// Appends the items that the store has beyond the file.
  Result<void> catch_up(StreamEngine& engine, const WatchSettings& settings) {
    if (descriptor_ < 0) return {};
    Principal who;
    who.tenant = settings.tenant;
    while (true) {
      ItemQuery query;
      query.stream = settings.stream;
      query.after = last_;
      query.limit = 500;
      const auto items = HENG_TRY(engine.items(who, query));
      if (items.empty()) return {};
      std::string lines;
      for (const auto& item : items) {
        lines += settings.item_json(item) + "\n";
        last_ = std::max(last_, item.number);
      }
      for (std::size_t done = 0; done < lines.size();) {
        const auto n = ::write(descriptor_, lines.data() + done, lines.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return store::file_error(errno, "cannot write", path_);
        done += static_cast<std::size_t>(n);
      }
    }
  }

 private:
  fs::path path_;
  int descriptor_ = -1;
  std::int64_t last_ = 0;
};

Batch batch_of(const WatchSettings& settings, const ReadLines& read, int utc_offset_minutes, std::vector<std::string>& rejected) {
  Batch out;
  out.tenant = settings.tenant;
  out.stream = settings.stream;
  out.tasks = settings.tasks;
  out.positions = read.positions;
  for (const auto& line : read.lines) {
    auto message = line.error.empty() ? parse_line(line.text, line.plain, utc_offset_minutes) : Result<Message>(ErrorCode::too_large, line.error);
    if (!message.ok()) {
      rejected.push_back(line.place + ": " + message.error().message);
      out.unreadable.emplace_back(-1, message.error().message);
      continue;
    }
    if (message->id.empty()) message->id = line.place;
    out.messages.push_back(std::move(*message));
  }
  return out;
}

bool passes(const Error& error) { return error.code == ErrorCode::unavailable || error.code == ErrorCode::overloaded || error.code == ErrorCode::conflict || error.code == ErrorCode::deadline_exceeded; }

/// Tries again while what is needed is away.
Result<PushReport> process(StreamEngine& engine, const Batch& batch, bool once, std::stop_token stop) {
  for (int pause_s = 1;; pause_s = std::min(2 * pause_s, 30)) {
    auto report = engine.process(batch, stop);
    if (report.ok() || once || !passes(report.error()) || stop.stop_requested()) return report;
    log::warn("watch_waits", {{"seconds", std::to_string(pause_s)}, {"reason", report.error().message}});
    for (int i = 0; i < pause_s * 20 && !stop.stop_requested(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

void add(WatchReport& sum, const PushReport& one, std::size_t messages) {
  sum.messages += static_cast<std::int64_t>(messages);
  sum.accepted += one.accepted;
  sum.duplicates += one.duplicates;
  sum.near_duplicates += one.near_duplicates;
  sum.rejected += one.rejected;
  sum.alerts += one.alerts;
  ++sum.batches;
}

}  // namespace

Result<WatchReport> watch(StreamEngine& engine, const WatchSettings& settings, const std::function<void(const WatchReport&, const std::vector<std::string>&)>& told, std::stop_token stop) {
  const auto began = std::chrono::steady_clock::now();
  std::unique_ptr<LineSource> source;
  if (settings.folder.empty()) {
    source = std::make_unique<PipeSource>(settings.descriptor);
  } else {
    auto known = HENG_TRY(engine.positions(settings.tenant, settings.stream));
    source = HENG_TRY(FolderSource::open(settings.folder, std::move(known), settings.once));
  }
  OutFile out;
  if (!settings.out.empty()) {
    HENG_TRY(out.open(settings.out, settings.stream));
    HENG_TRY(out.catch_up(engine, settings));
  }
  WatchReport sum;
  while (!stop.stop_requested()) {
    const auto read = HENG_TRY(source->next(settings.batch_messages, settings.batch_bytes));
    if (read.ended) break;
    if (read.lines.empty() && read.positions.empty()) {
      source->wait(250);
      continue;
    }
    std::vector<std::string> rejected;
    const auto setup = engine.setup().current();
    const Batch batch = batch_of(settings, read, setup->utc_offset_minutes, rejected);
    auto report = process(engine, batch, settings.once, stop);
    if (!report.ok() && report.error().code == ErrorCode::cancelled) break;
    if (!report.ok()) return report.error();
    for (const auto& [place, reason] : report->errors)
      if (place >= 0) rejected.push_back(batch.messages[static_cast<std::size_t>(place)].id + ": " + reason);
    add(sum, *report, read.lines.size());
    HENG_TRY(out.catch_up(engine, settings));
    if (told) told(sum, rejected);
  }
  sum.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return sum;
}

}  // namespace heng::streams
