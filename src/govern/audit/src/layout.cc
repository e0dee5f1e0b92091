#include "layout.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "heng/store/files.h"

namespace heng::audit {

namespace {
constexpr std::uint64_t bundle_limit_bytes = tlog::tile_width * (2 + tlog::entry_limit_bytes);
}

std::string content_path(std::uint64_t bundle) { return "content/" + tlog::index_path(bundle); }

std::string content_context(std::uint8_t kind, std::uint32_t key_id, std::int64_t time_ms, std::uint64_t opened) {
  return fmt::format("heng-record 1 {} {} {} {}", kind, key_id, time_ms, opened);
}

Result<std::string> LedgerFiles::tile(int level, std::uint64_t index, unsigned width) {
  auto bytes = store::read_whole_file(folder_ / tlog::tile_path(level, index, width), tlog::tile_width * sizeof(tlog::Hash));
  if (!bytes.ok() && bytes.error().code == ErrorCode::not_found && width < tlog::tile_width) {
    bytes = store::read_whole_file(folder_ / tlog::tile_path(level, index), tlog::tile_width * sizeof(tlog::Hash));
    if (bytes.ok()) bytes->resize(std::min<std::size_t>(bytes->size(), width * sizeof(tlog::Hash)));
  }
  return bytes;
}

Result<std::string> LedgerFiles::bundle(std::uint64_t index, unsigned width) {
  auto bytes = store::read_whole_file(folder_ / tlog::entries_path(index, width), bundle_limit_bytes);
  if (bytes.ok() || bytes.error().code != ErrorCode::not_found || width == tlog::tile_width) return bytes;
  const std::string full = HENG_TRY(store::read_whole_file(folder_ / tlog::entries_path(index), bundle_limit_bytes));
  const auto entries = HENG_TRY(tlog::parse_bundle(full, tlog::tile_width));
  return full.substr(0, width < entries.size() ? static_cast<std::size_t>(entries[width].data() - full.data()) - 2 : full.size());
}

Result<std::string> LedgerFiles::checkpoint() const { return store::read_whole_file(folder_ / "checkpoint", 1'000'000); }

Result<std::string> LedgerFiles::content(std::uint64_t bundle, std::uint64_t offset, std::uint64_t size) const {
  const auto path = folder_ / content_path(bundle);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return store::file_error(errno, "cannot open", path);
  std::string bytes;
  bool whole = ::lseek(descriptor, 0, SEEK_END) >= static_cast<off_t>(offset + size);
  if (whole) {
    bytes.resize(size);
    for (std::uint64_t done = 0; whole && done < size;) {
      const ssize_t got = ::pread(descriptor, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
      whole = got > 0;
      if (whole) done += static_cast<std::uint64_t>(got);
    }
  }
  ::close(descriptor);
  if (!whole) return Error(ErrorCode::corrupt, fmt::format("{}: ends before byte {}", path.string(), offset + size));
  return bytes;
}

}  // namespace heng::audit
