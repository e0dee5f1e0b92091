#include "encoders.h"

#include "assembly.h"
#include "heng/insight_bert/text_classifier.h"

namespace heng::app {

std::optional<std::filesystem::path> find_tunable_encoder(const Config& config, bool chinese) {
  for (const auto& file : find_models(config)) {
    const bool reads_chinese = file.name.find("-zh") != std::string::npos;
    constexpr std::int64_t most_bytes = 400 << 20;  // chat models are larger, and none of them is a BERT encoder
    if (reads_chinese == chinese && file.size_bytes < most_bytes && insight_bert::can_be_tuned(file.path)) return file.path;
  }
  return std::nullopt;
}

}  // namespace heng::app
