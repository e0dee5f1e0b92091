#include "readers.h"

#include <algorithm>
#include <thread>

#include "assembly.h"
#include "extractors.h"
#include "heng/insight/task_labeller.h"

namespace heng::app {

struct Readers::Parts {
  std::unique_ptr<Inference> models;
  std::unique_ptr<insight::TaskLabeller> labeller;
  std::unique_ptr<Extractors> extractors;
};

Readers::Readers() : parts_(std::make_unique<Parts>()) {}
Readers::~Readers() = default;

Result<std::unique_ptr<Readers>> Readers::open(const Config& config, const std::vector<std::string>& tasks, Tier tier) {
  std::unique_ptr<Readers> made(new Readers());
  Parts& p = *made->parts_;
  made->ports_.tier = tier;
  const int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  p.extractors = std::make_unique<Extractors>(config.tasks(), config.folder / "companies.csv", threads);
  made->ports_.extractor = p.extractors.get();
  const insight::TaskLabeller catalogue({.folder = config.tasks()}, nullptr);
  bool model = false, encoder = false;
  for (const auto& task : tasks) {
    const auto info = catalogue.task(task);
    if (!info.ok()) {
      auto tried = p.extractors->extract({.tenant = {}, .task = task, .items = {}}, {});
      if (tried.ok()) continue;
      return info.error();
    }
    const auto stages = tier == Tier::automatic ? info->automatic : std::vector<Tier>{tier};
    const auto has = [&](Tier wanted) { return std::find(stages.begin(), stages.end(), wanted) != stages.end(); };
    model = model || has(Tier::model);
    encoder = encoder || has(Tier::encoder) || has(Tier::fused);
  }
  if (model || encoder) p.models = HENG_TRY(open_models(config, model ? Models::all : Models::embedding));
  p.labeller = std::make_unique<insight::TaskLabeller>(insight::TaskLabellerSettings{.folder = config.tasks()}, p.models.get());
  made->ports_.labeller = p.labeller.get();
  made->ports_.tasks = p.labeller.get();
  return made;
}

}  // namespace heng::app
