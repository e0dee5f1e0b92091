#include "heng/insight/task_labeller.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>

#include "heng/base/text.h"
#include "heng/insight/dataset.h"
#include "linear/evidence.h"
#include "tasks/heads.h"
#include "tasks/marked.h"

namespace heng::insight {

namespace fs = std::filesystem;

struct TaskLabeller::Loaded {
  LabelHeads heads;
  fs::file_time_type written;
};

namespace {

constexpr std::size_t rows_for_a_thread = 256;
constexpr std::size_t occlusion_pieces_most = 24;

/// One call's work on one task: probabilities per stage, the answers, the evidence.
class LabelRun {
 public:
  LabelRun(const LabelHeads& heads, const LabelRequest& request, Inference* inference, int threads, std::stop_token stop)
      : heads_(heads), request_(request), inference_(inference), threads_(threads), stop_(stop), k_(heads.info.labels.size()) {}

  Result<LabelOutcomes> run() {
    check_items();
    if (request_.tier == Tier::automatic) HENG_TRY(cascade());
    else HENG_TRY(one_stage(request_.tier));
    LabelOutcomes out;
    out.reserve(request_.items.size());
    std::size_t next = 0;
    for (std::size_t i = 0; i < request_.items.size(); ++i) {
      if (!errors_[i].ok()) out.emplace_back(errors_[i].error());
      else out.emplace_back(answer(next++));
    }
    if (request_.evidence) HENG_TRY(explain(out));
    return out;
  }

 private:
  void check_items() {
    marked_.reserve(request_.items.size());   // the texts point into it
    for (const auto& item : request_.items) {
      errors_.push_back(check_text(item.text));
      if (errors_.back().ok()) errors_.back() = take(item);
    }
    probabilities_.resize(texts_.size() * k_);
    tiers_.assign(texts_.size(), Tier::linear);
  }

  Result<void> take(const TextItem& item) {
    const TaskInput input = heads_.info.input;
    if (input == TaskInput::text) {
      if (!item.head.empty() || !item.tail.empty()) return Error(ErrorCode::invalid_argument, fmt::format("task {} reads texts alone, without \"entity\", \"head\" or \"tail\"", heads_.info.name), "entity");
      texts_.push_back(item.text);
      return {};
    }
    if (input == TaskInput::entity && !item.tail.empty()) return Error(ErrorCode::invalid_argument, fmt::format("task {} is about one entity and reads no \"tail\"", heads_.info.name), "tail");
    marked_.push_back(HENG_TRY(mark(input, item.text, item.head, item.tail)));
    texts_.push_back(marked_.back().text);
    return {};
  }

  Result<void> require(Tier tier) const {
    if (!heads_.has(tier)) {
      std::string known;
      for (const Tier t : heads_.info.tiers) known += (known.empty() ? "" : ", ") + std::string(tier_name(t));
      return Error(ErrorCode::conflict, fmt::format("task {} has no {} stage (it has: {}); train it with one", heads_.info.name, tier_name(tier), known), "tier");
    }
    const bool asks_model = tier == Tier::model || (tier != Tier::linear && heads_.encoder_needs_model());
    if (asks_model && !inference_) return Error(ErrorCode::unavailable, fmt::format("the {} stage of task {} needs a model, and none is loaded", tier_name(tier), heads_.info.name), "tier");
    return {};
  }

  /// The stage's probabilities of the texts.
  Result<std::vector<float>> stage(Tier tier, std::span<const std::string_view> texts, std::span<const float> known_linear = {}) const {
    std::vector<float> out(texts.size() * k_);
    if (texts.empty()) return out;
    if (tier == Tier::linear) {
      linear(texts, out);
      return out;
    }
    if (tier == Tier::model) return model_probabilities(*inference_, *heads_.model, first_fields({texts.begin(), texts.end()}), request_.tenant, stop_);
    std::vector<float> encoder(texts.size() * k_);
    if (heads_.encoder->tuned) {
      heads_.tuned_probabilities(first_fields({texts.begin(), texts.end()}), encoder, threads_);
    } else {
      const Matrix vectors = HENG_TRY(embed_texts(*inference_, heads_.encoder->sources, first_fields({texts.begin(), texts.end()}), texts.size() > 16 ? Priority::batch : request_.priority, stop_));
      heads_.encoder_probabilities(vectors, encoder);
    }
    if (tier == Tier::encoder) return encoder;
    std::vector<float> computed;
    if (known_linear.empty()) {
      computed.resize(texts.size() * k_);
      linear(texts, computed);
      known_linear = computed;
    }
    heads_.fused_probabilities(known_linear, encoder, out);
    return out;
  }

  void linear(std::span<const std::string_view> texts, std::span<float> out) const {
    const std::size_t workers = std::clamp<std::size_t>(texts.size() / rows_for_a_thread, 1, static_cast<std::size_t>(threads_));
    const std::size_t share = (texts.size() + workers - 1) / workers;
    std::vector<std::jthread> threads;
    for (std::size_t w = 1; w < workers; ++w) {
      const std::size_t begin = std::min(w * share, texts.size()), count = std::min(share, texts.size() - begin);
      threads.emplace_back([this, texts, out, begin, count] { heads_.linear_probabilities(texts.subspan(begin, count), out.subspan(begin * k_, count * k_)); });
    }
    heads_.linear_probabilities(texts.first(std::min(share, texts.size())), out.first(std::min(share, texts.size()) * k_));
  }

  Result<void> one_stage(Tier tier) {
    HENG_TRY(require(tier));
    probabilities_ = HENG_TRY(stage(tier, texts_));
    std::fill(tiers_.begin(), tiers_.end(), tier);
    return {};
  }

  Result<void> cascade() {
    if (!heads_.linear && heads_.model) return one_stage(Tier::model);
    HENG_TRY(require(Tier::linear));
    probabilities_ = HENG_TRY(stage(Tier::linear, texts_));
    if (!heads_.cascade) return {};
    const auto& steps = heads_.cascade->steps;
    for (std::size_t s = 1; s < steps.size(); ++s) HENG_TRY(require(steps[s].tier));
    const std::vector<float> linear_rows = probabilities_;
    std::vector<std::size_t> open(texts_.size());
    std::iota(open.begin(), open.end(), std::size_t{0});
    for (std::size_t s = 1; s < steps.size(); ++s) {
      std::erase_if(open, [&](std::size_t i) { return sure_of(i) >= static_cast<float>(steps[s - 1].threshold); });
      if (open.empty()) return {};
      HENG_TRY(ask_again(steps[s].tier, open, linear_rows));
    }
    return {};
  }

  float sure_of(std::size_t i) const {
    const auto row = std::span<const float>(probabilities_).subspan(i * k_, k_);
    return *std::max_element(row.begin(), row.end());
  }

  /// These texts get the answers of another stage.
  Result<void> ask_again(Tier tier, const std::vector<std::size_t>& open, const std::vector<float>& linear_rows) {
    std::vector<std::string_view> texts;
    std::vector<float> known;
    for (const std::size_t i : open) {
      texts.push_back(texts_[i]);
      known.insert(known.end(), linear_rows.begin() + static_cast<std::ptrdiff_t>(i * k_), linear_rows.begin() + static_cast<std::ptrdiff_t>((i + 1) * k_));
    }
    const auto rows = HENG_TRY(stage(tier, texts, known));
    for (std::size_t j = 0; j < open.size(); ++j) {
      std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(j * k_), k_, probabilities_.begin() + static_cast<std::ptrdiff_t>(open[j] * k_));
      tiers_[open[j]] = tier;
    }
    return {};
  }

  LabelResult answer(std::size_t i) const {
    const float* row = &probabilities_[i * k_];
    LabelResult result;
    result.tier = tiers_[i];
    std::vector<std::uint32_t> order(k_);
    std::iota(order.begin(), order.end(), 0u);
    std::stable_sort(order.begin(), order.end(), [row](std::uint32_t a, std::uint32_t b) { return row[a] > row[b]; });
    result.scores.reserve(k_);
    for (const auto c : order) result.scores.emplace_back(heads_.info.labels[c], row[c]);
    result.confidence = row[order[0]];
    result.abstained = result.confidence < request_.abstain_below;
    if (!result.abstained) result.label = heads_.info.labels[order[0]];
    return result;
  }

  int number_of(const std::string& label) const { return static_cast<int>(std::lower_bound(heads_.info.labels.begin(), heads_.info.labels.end(), label) - heads_.info.labels.begin()); }

  Result<void> explain(LabelOutcomes& out) const {
    std::size_t next = 0;
    for (auto& outcome : out) {
      if (!outcome.ok()) continue;
      const std::size_t at = next++;
      const std::string_view text = texts_[at];
      const int label = number_of(outcome->scores[0].first), rival = number_of(outcome->scores[1].first);
      if (outcome->tier == Tier::linear) outcome->evidence = linear_evidence(heads_.linear->head, heads_.linear->calibration, text, label, rival);
      else outcome->evidence = HENG_TRY(occlusion(outcome->tier, text, label, rival));
      if (!marked_.empty()) outcome->evidence = to_original(marked_[at], outcome->evidence);
    }
    return {};
  }

  /// How the log-odds fall when a piece is left out.
  Result<std::vector<Evidence>> occlusion(Tier tier, std::string_view text, int label, int rival) const {
    auto parts = pieces(text);
    while (parts.size() > occlusion_pieces_most) {  // neighbours become one
      std::vector<Piece> half;
      for (std::size_t i = 0; i < parts.size(); i += 2) half.push_back({parts[i].begin, parts[std::min(i + 1, parts.size() - 1)].end});
      parts = std::move(half);
    }
    std::vector<std::string> variants = {std::string(text)};
    for (const auto& part : parts) {
      const std::size_t begin = text::byte_offset(text, part.begin), end = text::byte_offset(text, part.end);
      variants.push_back(std::string(text.substr(0, begin)) + std::string(text.substr(end)));
      if (text::trim(variants.back()).empty()) variants.back() = ".";
    }
    const std::vector<std::string_view> views(variants.begin(), variants.end());
    const auto rows = HENG_TRY(stage(tier, views));
    const auto odds = [&](std::size_t i) { return std::log(std::max(rows[i * k_ + static_cast<std::size_t>(label)], 1e-12f)) - std::log(std::max(rows[i * k_ + static_cast<std::size_t>(rival)], 1e-12f)); };
    std::vector<double> weights;
    for (std::size_t p = 0; p < parts.size(); ++p) weights.push_back(odds(0) - odds(p + 1));
    return join_pieces(parts, weights);
  }

  const LabelHeads& heads_;
  const LabelRequest& request_;
  Inference* inference_;
  int threads_;
  std::stop_token stop_;
  std::size_t k_;
  std::vector<Result<void>> errors_;
  std::vector<MarkedText> marked_;       ///< Of tasks about entities; one for each of `texts_`.
  std::vector<std::string_view> texts_;
  std::vector<float> probabilities_;
  std::vector<Tier> tiers_;
};

}  // namespace

TaskLabeller::TaskLabeller(TaskLabellerSettings settings, Inference* inference) : settings_(std::move(settings)), inference_(inference) {
  if (settings_.threads <= 0) settings_.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}
TaskLabeller::~TaskLabeller() = default;

Result<std::vector<TaskInfo>> TaskLabeller::tasks() const {
  std::vector<TaskInfo> out;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(settings_.folder, failed)) {
    if (entry.path().extension() != ".task") continue;
    auto info = read_task_info(entry.path());
    if (info.ok()) out.push_back(std::move(*info));
  }
  std::sort(out.begin(), out.end(), [](const TaskInfo& a, const TaskInfo& b) { return a.name < b.name; });
  return out;
}

Result<TaskInfo> TaskLabeller::task(const std::string& name) const {
  HENG_TRY(check_task_name(name));
  std::error_code failed;
  if (fs::exists(path(name), failed)) return read_task_info(path(name));
  std::string known;
  for (const auto& info : HENG_TRY(tasks())) known += (known.empty() ? "" : ", ") + info.name;
  return Error(ErrorCode::not_found, known.empty() ? fmt::format("no task \"{}\": none is trained yet; see heng train --help", name) : fmt::format("no task \"{}\"; there are: {}", name, known), "task");
}

Result<std::shared_ptr<const TaskLabeller::Loaded>> TaskLabeller::load(const std::string& name) const {
  HENG_TRY(task(name));
  std::error_code failed;
  const auto written = fs::last_write_time(path(name), failed);
  const std::lock_guard lock(mutex_);
  if (const auto it = loaded_.find(name); it != loaded_.end() && it->second->written == written) return it->second;
  const TaskFile file = HENG_TRY(read_task_file(path(name)));
  auto fresh = std::make_shared<const Loaded>(Loaded{HENG_TRY(LabelHeads::from_file(file)), written});
  loaded_[name] = fresh;
  return std::shared_ptr<const Loaded>(fresh);
}

Result<LabelOutcomes> TaskLabeller::label(const LabelRequest& request, std::stop_token stop) {
  const auto loaded = HENG_TRY(load(request.task));
  return LabelRun(loaded->heads, request, inference_, settings_.threads, stop).run();
}

}  // namespace heng::insight
