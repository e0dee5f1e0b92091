#include <fmt/format.h>

#include "heng/audit/reader.h"
#include "record_source.h"
#include "signer.h"

namespace heng::audit {

namespace {

constexpr std::size_t kept_problems = 100;

// One pass over a ledger from its leaves up.
class Verification {
 public:
  Verification(RecordSource& source, const VerifyOptions& options, VerifyReport& report) : source_(source), options_(options), report_(report) {}

  void run(std::uint64_t old_size) {
    const std::uint64_t size = source_.size();
    for (std::uint64_t bundle = 0; bundle * tlog::tile_width < size; ++bundle) {
      check_bundle(bundle, tlog::width_in(0, bundle, size), old_size);
      if (options_.progress) options_.progress(std::min(size, (bundle + 1) * tlog::tile_width), size);
    }
    check_upper_tiles();
    if (size == old_size) old_root_ = root_so_far();
  }

  tlog::Hash root_so_far() const {
    if (edge_.empty()) return tlog::empty_root();
    tlog::Hash root = edge_.back().second;
    for (auto it = edge_.rbegin() + 1; it != edge_.rend(); ++it) root = tlog::node_hash(it->second, root);
    return root;
  }
  const tlog::Hash& old_root() const { return old_root_; }

  void problem(std::optional<std::uint64_t> index, std::string message) {
    ++report_.problem_count;
    if (report_.problems.size() < kept_problems) report_.problems.push_back({index, std::move(message)});
  }

 private:
  void check_bundle(std::uint64_t bundle, unsigned width, std::uint64_t old_size) {
    const std::uint64_t first = bundle * tlog::tile_width;
    auto bytes = source_.files().bundle(bundle, width);
    auto entries = bytes.ok() ? tlog::parse_bundle(*bytes, width) : Result<std::vector<std::string_view>>(bytes.error());
    auto tile = source_.files().tile(0, bundle, width);
    const bool tile_good = tile.ok() && tile->size() == width * sizeof(tlog::Hash);
    if (!tile_good) problem(first, fmt::format("{} is missing or damaged", tlog::tile_path(0, bundle, width)));
    if (!entries.ok()) problem(first, fmt::format("entries of records {}…{}: {}", first, first + width - 1, entries.error().message));
    std::vector<tlog::Hash> leaves;
    for (unsigned i = 0; i < width; ++i) {
      if (first + i == old_size) old_root_ = root_so_far();
      tlog::Hash leaf = tile_good ? tlog::hash_at(*tile, i) : tlog::Hash{};
      if (entries.ok()) {
        const tlog::Hash hash = tlog::leaf_hash((*entries)[i]);
        if (tile_good && hash != leaf) problem(first + i, fmt::format("record {}: its entry does not fit its leaf", first + i));
        leaf = hash;
      }
      leaves.push_back(leaf);
      add(leaf, 0);
      if (entries.ok() && tile_good) check_record(first + i);
    }
    if (width == tlog::tile_width) full_tiles_.push_back(tlog::fold(std::move(leaves)));
  }

  void check_record(std::uint64_t index) {
    if (!options_.decrypt) {
      auto content = source_.content(index);
      if (!content.ok()) problem(index, content.error().message);
      return;
    }
    auto record = source_.record(index);
    if (!record.ok()) {
      problem(index, record.error().message);
    } else if (record->erased) {
      ++report_.erased;
    }
  }

  void check_upper_tiles() {
    std::vector<tlog::Hash> hashes = std::move(full_tiles_);
    for (int level = 1; !hashes.empty(); ++level) {
      std::vector<tlog::Hash> above;
      for (std::uint64_t tile = 0; tile * tlog::tile_width < hashes.size(); ++tile) {
        const auto width = static_cast<unsigned>(std::min<std::uint64_t>(tlog::tile_width, hashes.size() - tile * tlog::tile_width));
        const std::vector<tlog::Hash> expected(hashes.begin() + static_cast<long>(tile * tlog::tile_width), hashes.begin() + static_cast<long>(tile * tlog::tile_width + width));
        std::string bytes;
        for (const auto& hash : expected) bytes.append(reinterpret_cast<const char*>(hash.data()), hash.size());
        auto stored = source_.files().tile(level, tile, width);
        if (!stored.ok() || *stored != bytes) problem(std::nullopt, fmt::format("{} is missing or does not fit the tiles below it", tlog::tile_path(level, tile, width)));
        if (width == tlog::tile_width) above.push_back(tlog::fold(expected));
      }
      hashes = std::move(above);
    }
  }

  // The right edge as complete subtrees of falling height.
  void add(tlog::Hash hash, int height) {
    while (!edge_.empty() && edge_.back().first == height) {
      hash = tlog::node_hash(edge_.back().second, hash);
      edge_.pop_back();
      ++height;
    }
    edge_.emplace_back(height, hash);
  }

  RecordSource& source_;
  const VerifyOptions& options_;
  VerifyReport& report_;
  std::vector<std::pair<int, tlog::Hash>> edge_;
  std::vector<tlog::Hash> full_tiles_;
  tlog::Hash old_root_{};
};

}  // namespace

Result<VerifyReport> verify_ledger(const LedgerSettings& settings, store::Keyring& keyring, const tlog::VerifierKey& key, const VerifyOptions& options) {
  RecordSource source(settings.folder, keyring);
  HENG_TRY(source.refresh(&key));
  VerifyReport report;
  report.size = source.size();
  Verification verification(source, options, report);
  std::optional<tlog::Checkpoint> old;
  if (!options.old_checkpoint.empty()) {
    auto opened = tlog::open_checkpoint(options.old_checkpoint, key);
    if (opened.ok()) {
      old = *opened;
    } else {
      verification.problem(std::nullopt, "the older checkpoint cannot be used: " + opened.error().message);
    }
  }
  verification.run(old ? old->size : ~std::uint64_t{0});
  report.root_hex = to_hex(verification.root_so_far());
  if (verification.root_so_far() != source.checkpoint().root) verification.problem(std::nullopt, "the records do not give the checkpoint's root");
  if (old && old->size > source.size()) {
    verification.problem(source.size(), fmt::format("the ledger was cut: it has {} records, the older checkpoint {}", source.size(), old->size));
  } else if (old && verification.old_root() != old->root) {
    verification.problem(std::nullopt, fmt::format("the first {} records are not those of the older checkpoint", old->size));
  }
  return report;
}

}  // namespace heng::audit
