#include "archive.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>

namespace heng::formats {
namespace {

constexpr std::size_t ratio_matters_bytes = 10 << 20;

Error damaged(std::string_view what) {
  return Error(ErrorCode::malformed_input, fmt::format("the file is damaged ({}): save it again from its program", what));
}

}  // namespace

struct Archive::Impl {
  zip_t* zip = nullptr;
  const Limits& limits;
  std::size_t unpacked = 0;
  std::unordered_map<std::string, zip_uint64_t> parts;

  explicit Impl(const Limits& l) : limits(l) {}
  ~Impl() {
    if (zip != nullptr) zip_discard(zip);
  }

  Error too_much(const std::string& name) const {
    return Error(ErrorCode::too_large, fmt::format("part {} unpacks to more than is allowed (part {} MiB, all {} MiB, ratio {}): this looks "
                                                   "like an archive bomb", name, limits.max_part_bytes >> 20, limits.max_unpacked_bytes >> 20,
                                                   limits.max_compression_ratio));
  }
};

Archive::Archive(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Archive::Archive(Archive&&) noexcept = default;
Archive::~Archive() = default;

Result<Archive> Archive::open(std::string_view bytes, const Limits& limits) {
  auto impl = std::make_unique<Impl>(limits);
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (source == nullptr) return damaged("archive");
  impl->zip = zip_open_from_source(source, ZIP_RDONLY, &error);
  if (impl->zip == nullptr) {
    std::string why = zip_error_strerror(&error);
    zip_source_free(source);
    zip_error_fini(&error);
    return damaged(why);
  }
  zip_int64_t count = zip_get_num_entries(impl->zip, 0);
  if (count > static_cast<zip_int64_t>(limits.max_archive_parts)) {
    return Error(ErrorCode::too_large, fmt::format("the file has {} parts, more than the limit of {}", count, limits.max_archive_parts));
  }
  for (zip_int64_t i = 0; i < count; ++i) {
    const char* name = zip_get_name(impl->zip, static_cast<zip_uint64_t>(i), ZIP_FL_ENC_RAW);
    if (name == nullptr) continue;
    std::string key = name;
    std::replace(key.begin(), key.end(), '\\', '/');
    impl->parts.emplace(key, static_cast<zip_uint64_t>(i));
  }
  return Archive(std::move(impl));
}

bool Archive::has(const std::string& name) const { return impl_->parts.contains(name); }

Result<std::string> Archive::read(const std::string& name) {
  auto found = impl_->parts.find(name);
  if (found == impl_->parts.end()) return Error(ErrorCode::not_found, fmt::format("part {} is missing", name));
  zip_stat_t status;
  if (zip_stat_index(impl_->zip, found->second, 0, &status) != 0) return damaged(name);
  if ((status.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && status.encryption_method != ZIP_EM_NONE) {
    return Error(ErrorCode::unsupported, "the file is protected by a password; save it without one and ingest it again");
  }
  const Limits& limits = impl_->limits;
  std::size_t allowed = std::min(limits.max_part_bytes, limits.max_unpacked_bytes - std::min(limits.max_unpacked_bytes, impl_->unpacked));
  // sizes in the directory are claims: what is unpacked is counted
  std::size_t by_ratio = std::max(ratio_matters_bytes, static_cast<std::size_t>(std::min<zip_uint64_t>(status.comp_size, 1u << 30)) * limits.max_compression_ratio);
  allowed = std::min(allowed, by_ratio);
  zip_file_t* file = zip_fopen_index(impl_->zip, found->second, 0);
  if (file == nullptr) return damaged(name);
  std::string out;
  char buffer[65536];
  zip_int64_t got = 0;
  while ((got = zip_fread(file, buffer, sizeof buffer)) > 0) {
    if (out.size() + static_cast<std::size_t>(got) > allowed) break;
    out.append(buffer, static_cast<std::size_t>(got));
  }
  zip_fclose(file);
  if (got > 0) return impl_->too_much(name);
  if (got < 0) return damaged(name);
  impl_->unpacked += out.size();
  return out;
}

}  // namespace heng::formats
