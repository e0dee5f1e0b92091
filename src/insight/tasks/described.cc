#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "heng/base/text.h"
#include "heng/insight/trainer.h"
#include "tasks/heads.h"
#include "tasks/marked.h"

namespace heng::insight {

Result<TaskFile> describe_task(const DescribedTask& task, const LabelledData* examples, const Clock& clock, Inference* inference, std::stop_token stop) {
  HENG_TRY(check_task_name(task.name));
  if (task.description.empty()) return Error(ErrorCode::invalid_argument, "a task without rows needs a description", "description");
  auto labels = task.labels;
  std::sort(labels.begin(), labels.end());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i].first.empty()) return Error(ErrorCode::invalid_argument, "a label is empty", "label");
    if (i > 0 && labels[i].first == labels[i - 1].first) return Error(ErrorCode::invalid_argument, fmt::format("label \"{}\" is given twice", labels[i].first), "label");
  }
  if (labels.size() < 2) return Error(ErrorCode::invalid_argument, fmt::format("{} label(s) given, a task needs two at least", labels.size()), "label");
  LabelHeads heads;
  ModelStage stage;
  stage.instruction = task.description;
  for (const auto& [name, word] : labels) {
    heads.info.labels.push_back(name);
    stage.words.push_back(word.empty() ? name : word);
  }
  if (examples && inference && examples->texts.size() > task.examples_most) {
    constexpr std::size_t pool_most = 2000;
    const auto texts = first_fields({examples->texts.begin(), examples->texts.end()});
    const bool chinese = std::count_if(texts.begin(), texts.end(), [](std::string_view t) { return text::language_of(t) == text::Language::chinese; }) * 2 > static_cast<std::ptrdiff_t>(texts.size());
    const auto sources = HENG_TRY(choose_sources(*inference, {}, chinese));
    stage.pool = HENG_TRY(make_pool(*inference, texts, examples->labels, static_cast<int>(labels.size()), sources, pool_most, nullptr, stop));
    heads.info.data_sha256 = examples->sha256;
    heads.info.rows = static_cast<std::int64_t>(stage.pool->texts.size());
  } else if (examples) {
    // the labels in turn, so that none is favoured by what was read last
    for (std::size_t round = 0; stage.examples.size() < task.examples_most && round < examples->texts.size(); ++round) {
      for (int label = 0; label < static_cast<int>(labels.size()) && stage.examples.size() < task.examples_most; ++label) {
        std::size_t seen = 0;
        for (std::size_t i = 0; i < examples->texts.size(); ++i)
          if (examples->labels[i] == label && seen++ == round) stage.examples.emplace_back(std::string(first_field(examples->texts[i])), label);
      }
    }
    heads.info.data_sha256 = examples->sha256;
    heads.info.rows = static_cast<std::int64_t>(stage.examples.size());
  }
  if (examples) heads.info.input = examples->input;
  heads.model = std::move(stage);
  heads.info.name = task.name;
  heads.info.description = task.description;
  heads.info.tiers = heads.info.automatic = {Tier::model};
  heads.info.trained_ms = clock.unix_ms();
  return heads.to_file("{}");
}

}  // namespace heng::insight
