#include <fmt/format.h>

#include <algorithm>

#include "heng/insight/trainer.h"
#include "tasks/heads.h"

namespace heng::insight {

Result<TaskFile> describe_task(const DescribedTask& task, const LabelledData* examples, const Clock& clock) {
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
  if (examples) {
    // the labels in turn, so that none is favoured by what was read last
    for (std::size_t round = 0; stage.examples.size() < task.examples_most && round < examples->texts.size(); ++round) {
      for (int label = 0; label < static_cast<int>(labels.size()) && stage.examples.size() < task.examples_most; ++label) {
        std::size_t seen = 0;
        for (std::size_t i = 0; i < examples->texts.size(); ++i)
          if (examples->labels[i] == label && seen++ == round) stage.examples.emplace_back(examples->texts[i], label);
      }
    }
    heads.info.data_sha256 = examples->sha256;
    heads.info.rows = static_cast<std::int64_t>(stage.examples.size());
  }
  heads.model = std::move(stage);
  heads.info.name = task.name;
  heads.info.description = task.description;
  heads.info.tiers = {Tier::model};
  heads.info.trained_ms = clock.unix_ms();
  return heads.to_file("{}");
}

}  // namespace heng::insight
