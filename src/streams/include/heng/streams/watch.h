#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "heng/streams/engine.h"

namespace heng::streams {

struct WatchSettings {
  TenantId tenant{"default"};
  std::string stream;
  std::vector<std::string> tasks;
  std::filesystem::path folder;       ///< Followed: *.jsonl, *.ndjson, *.txt, *.log, sorted by name. Empty: `descriptor` is read.
  int descriptor = 0;                 ///< Standard input.
  std::filesystem::path out;          ///< JSON Lines of the stored items; empty: none.
  std::function<std::string(const StreamItem&)> item_json;  ///< One line of `out`.
  bool once = false;                  ///< End when everything that is there has been read.
  std::size_t batch_messages = 256;
  std::size_t batch_bytes = 4 << 20;
};

struct WatchReport {
  std::int64_t messages = 0, accepted = 0, duplicates = 0, near_duplicates = 0, rejected = 0, alerts = 0, batches = 0;
  double seconds = 0;
};

/// Reads messages, one line each, and gives them to the engine in batches: what one batch read and how far is committed at once, so a
/// kill at any moment loses nothing and stores nothing twice (for a folder; standard input cannot be read again, and sent again
/// its messages are recognised as copies). A line that is not whole yet is left for later. Never holds more than one batch.
/// `told` gets the report after each batch, and the reasons of lines that were rejected ("news.jsonl:7: not JSON").
/// Errors: not_found (folder, task), conflict (`out` is not the output of this stream), storage_full, those of the engine; an
/// engine that is unavailable for now is tried again unless `once`.
Result<WatchReport> watch(StreamEngine& engine, const WatchSettings& settings, const std::function<void(const WatchReport&, const std::vector<std::string>& rejected)>& told, std::stop_token stop);

}  // namespace heng::streams
