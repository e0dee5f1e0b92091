#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "heng/base/result.h"
#include "heng/formats/reader.h"

namespace heng::formats {

/// The parts of a ZIP file in memory, within limits on size, number and compression ratio. Keeps a reference to the bytes.
class Archive {
 public:
  /// Errors: malformed_input, too_large.
  static Result<Archive> open(std::string_view bytes, const Limits& limits);
  Archive(Archive&&) noexcept;
  ~Archive();

  bool has(const std::string& name) const;
  /// Errors: not_found, malformed_input (damaged), unsupported (encrypted), too_large.
  Result<std::string> read(const std::string& name);

 private:
  struct Impl;
  explicit Archive(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace heng::formats
