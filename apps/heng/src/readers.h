#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/insight.h"
#include "streams_part.h"

namespace heng::app {

/// What a stream is read with outside a server: trained tasks, extractors and only the models that they need.
class Readers {
 public:
  /// Errors: not_found (a task that is not there; says which are), those of the models.
  static Result<std::unique_ptr<Readers>> open(const Config& config, const std::vector<std::string>& tasks, Tier tier);
  ~Readers();
  const StreamReaders& ports() const { return ports_; }

 private:
  Readers();
  struct Parts;
  std::unique_ptr<Parts> parts_;
  StreamReaders ports_;
};

}  // namespace heng::app
