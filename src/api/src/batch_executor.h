#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

#include "context.h"
#include "heng/contracts/batches.h"

namespace heng::api {

/// Answers the lines of batches with the handlers of the routes themselves. Lifetime: the Api outlives it. Thread-safe.
class LineExecutor final : public BatchExecutor {
 public:
  explicit LineExecutor(Api& api) : api_(api) {}
  Result<void> may(const Principal& principal, const std::string& endpoint) override;
  BatchAnswer run(const BatchCall& call, std::stop_token stop) override;
  Result<void> ending(const Principal& principal, const BatchInfo& batch) override;

 private:
  struct Seen {
    SteadyTime at;
    bool alive = false;
  };
  Result<bool> look_up(const Principal& principal) const;
  Result<void> still_there(const Principal& principal);

  Api& api_;
  std::mutex mutex_;
  std::unordered_map<std::string, Seen> seen_;   ///< Of keys and users, for a moment.
};

/// The batch as the interface shows it.
Json batch_value(const BatchInfo& batch);

}  // namespace heng::api
