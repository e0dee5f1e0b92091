#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "heng/contracts/inference.h"
#include "heng/guard_injection/detector.h"

namespace heng::app {

/// The embedding model that the injection detector was trained beside.
inline constexpr const char* detector_model = "multilingual-e5-small";

/// Vectors for the injection detector from a model that is loaded; null where it is not among `models`.
guard_injection::Embed question_vectors(Inference& models);

/// The same for many texts of a file: those given to `prepare` are computed together.
class BatchVectors {
 public:
  explicit BatchVectors(std::unique_ptr<Inference> models) : models_(std::move(models)) {}
  /// Errors: those of Inference::embed.
  Result<void> prepare(const std::vector<std::string>& texts);
  /// Null where the model is not there. Must not outlive this object.
  guard_injection::Embed embed();

 private:
  std::unique_ptr<Inference> models_;
  std::unordered_map<std::string, std::vector<float>> ready_;
};

}  // namespace heng::app
