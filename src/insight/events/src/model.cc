#include "heng/insight_events/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <thread>

#include "heng/base/text.h"
#include "heng/insight_events/rows.h"
#include "model_parts.h"
#include "rows.h"

namespace heng::insight_events {
namespace {

constexpr std::size_t group = 16;            // chunks that a thread takes at once

Mention mention_of(std::u32string_view text, const std::vector<Piece>& pieces, int begin, int last, const std::string& role) {
  Mention mention;
  mention.begin = pieces[static_cast<std::size_t>(begin) - 1].begin;
  mention.end = pieces[static_cast<std::size_t>(last) - 1].end;
  mention.word = text::from_utf32(text.substr(mention.begin, mention.end - mention.begin));
  mention.role = role;
  return mention;
}

}  // namespace

void prepare_to_read(EventModel::Parts& parts) {
  constexpr int smallest = 64, widest = 2048;
  parts.shorts.clear();
  const float* values = parts.values.get();
  const auto& entries = parts.network.layout().entries();
  for (std::size_t i = 0; i + 1 < entries.size(); ++i) {
    const Layout::Entry &weight = entries[i], &bias = entries[i + 1];
    if (!weight.name.ends_with(".weight") || weight.tensor.rows < smallest || weight.tensor.cols < smallest || weight.tensor.cols > widest) continue;
    if (bias.name != weight.name.substr(0, weight.name.size() - 6) + "bias") continue;
    parts.shorts.try_emplace(weight.tensor.offset, weights(values, weight.tensor), row(values, bias.tensor));
  }
}

std::vector<Event> to_events(const EventModel::Parts& parts, std::u32string_view text, const std::vector<Piece>& pieces, const std::vector<DecodedEvent>& events) {
  const Schema& schema = parts.network.schema();
  std::vector<Event> out;
  for (const DecodedEvent& decoded : events) {
    const auto type = static_cast<std::size_t>(decoded.type);
    Event event;
    event.type = schema.types[type];
    event.confidence = 1.0 / (1.0 + std::exp(-static_cast<double>(parts.decisions.slope * decoded.score + parts.decisions.offset)));
    event.mentions.push_back(mention_of(text, pieces, decoded.begin, decoded.last, trigger_role));
    for (const ScoredSpan& span : decoded.arguments) {
      const auto role = static_cast<std::size_t>(schema.type_roles[type][static_cast<std::size_t>(span.label)]);
      event.mentions.push_back(mention_of(text, pieces, span.begin, span.last, schema.roles[role]));
    }
    std::stable_sort(event.mentions.begin() + 1, event.mentions.end(), [](const Mention& a, const Mention& b) { return a.begin < b.begin; });
    out.push_back(std::move(event));
  }
  return out;
}

EventModel::EventModel(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
EventModel::~EventModel() = default;
const ModelCard& EventModel::card() const { return parts_->card; }

Result<std::unique_ptr<EventModel>> EventModel::load(const std::filesystem::path& path) {
#if defined(__x86_64__) && defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Error(ErrorCode::unsupported, "this build needs a processor with AVX2 and FMA");
#endif
  return std::make_unique<EventModel>(HENG_TRY(load_parts(path)));
}

Result<ExtractionOutcomes> EventModel::extract(const std::vector<TextItem>& items, double minimum_confidence, int threads, std::stop_token stop) const {
  return insight_events::extract(*parts_, items, minimum_confidence, threads, std::move(stop));
}

Result<ExtractionOutcomes> extract(const EventModel::Parts& model, const std::vector<TextItem>& items, double minimum_confidence, int threads, std::stop_token stop) {
  struct Part {
    std::size_t item = 0;
    Chunk chunk;
    std::vector<Event> events;
  };
  std::vector<std::u32string> texts(items.size());
  std::vector<std::pair<ErrorCode, std::string>> errors(items.size(), {ErrorCode::internal, ""});
  std::vector<Part> parts;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string& text = items[i].text;
    if (!text::is_valid_utf8(text)) {
      errors[i] = {ErrorCode::malformed_input, fmt::format("the text is not UTF-8 from byte {} on", text::first_invalid_utf8(text))};
      continue;
    }
    texts[i] = text::to_utf32(text);
    if (text::trim(text).empty()) errors[i] = {ErrorCode::invalid_argument, "the text is empty"};
    else if (texts[i].size() > longest_text) errors[i] = {ErrorCode::too_large, fmt::format("the text has {} characters; at most {} are read", texts[i].size(), longest_text)};
    if (!errors[i].second.empty()) continue;
    for (Chunk& chunk : chunks(model.words, texts[i], chunk_limit)) parts.push_back({i, std::move(chunk), {}});
  }
  std::vector<std::size_t> order(parts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return parts[a].chunk.ids.size() > parts[b].chunk.ids.size(); });
  std::atomic<std::size_t> next{0};
  auto work = [&] {
    while (!stop.stop_requested()) {
      const std::size_t from = next.fetch_add(group), to = std::min(order.size(), from + group);
      if (from >= order.size()) return;
      std::vector<const std::vector<std::int32_t>*> ids;
      for (std::size_t i = from; i < to; ++i) ids.push_back(&parts[order[i]].chunk.ids);
      const auto readings = read(model.network, model.pass(), ids, &model.decisions);
      for (std::size_t i = from; i < to; ++i) {
        Part& part = parts[order[i]];
        part.events = to_events(model, texts[part.item], part.chunk.pieces, decide(readings[i - from], model.decisions));
      }
    }
  };
  {
    std::vector<std::jthread> helpers;
    const int wanted = std::min(threads, static_cast<int>((parts.size() + group - 1) / group));
    for (int t = 1; t < wanted; ++t) helpers.emplace_back(work);
    work();
  }
  if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped");
  std::vector<ExtractionResult> results(items.size());
  for (Part& part : parts) {
    for (Event& event : part.events) {
      if (event.confidence >= minimum_confidence) results[part.item].events.push_back(std::move(event));
    }
  }
  ExtractionOutcomes out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (errors[i].second.empty()) out.emplace_back(std::move(results[i]));
    else out.emplace_back(Error(errors[i].first, errors[i].second, "text"));
  }
  return out;
}

}  // namespace heng::insight_events
