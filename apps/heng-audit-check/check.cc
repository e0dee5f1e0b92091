#include "check.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>

namespace audit_check {

namespace {

constexpr std::uint64_t width_full = 256;
constexpr std::size_t kept_problems = 100;
constexpr std::size_t entry_bytes = 94;
constexpr std::uint64_t none = ~std::uint64_t{0};

std::string number_path(std::uint64_t number) {
  char part[8];
  std::snprintf(part, sizeof part, "%03u", static_cast<unsigned>(number % 1000));
  std::string path = part;
  while ((number /= 1000) > 0) {
    std::snprintf(part, sizeof part, "x%03u/", static_cast<unsigned>(number % 1000));
    path.insert(0, part);
  }
  return path;
}

std::string plural(std::uint64_t first, std::uint64_t count) {
  return count == 1 ? "record " + std::to_string(first) : "records " + std::to_string(first) + " to " + std::to_string(first + count - 1);
}

class Check {
 public:
  explicit Check(const Request& request) : request_(request) {}

  Report run() {
    const auto note = read_file(request_.folder / "checkpoint");
    std::string why = "it is missing";
    if (note) report_.head = open_head(*note, request_.key, why);
    if (!report_.head) {
      problem("signature", std::nullopt, "the checkpoint cannot be trusted: " + why);
      return report_;
    }
    size_ = report_.head->size;
    for (std::uint64_t bundle = 0; bundle * width_full < size_; ++bundle) {
      check_bundle(bundle);
      if (request_.progress) request_.progress(std::min(size_, (bundle + 1) * width_full), size_);
    }
    check_upper_tiles(1, full_);
    if (tree_.root() != report_.head->root) {
      problem("changed", std::nullopt, "the records give the root " + hex(tree_.root()) + ", but " + hex(report_.head->root) + " was signed");
    }
    check_history();
    return report_;
  }

 private:
  void problem(std::string kind, std::optional<std::uint64_t> record, std::string message) {
    ++report_.problem_count;
    if (report_.problems.size() < kept_problems) report_.problems.push_back({std::move(kind), record, std::move(message)});
  }

  // A partial file may have been replaced by its full one meanwhile.
  std::optional<std::string> tile_file(const std::string& base, std::uint64_t width, bool& cut) {
    cut = false;
    if (width < width_full) {
      if (auto bytes = read_file(request_.folder / (base + ".p/" + std::to_string(width)))) return bytes;
      cut = true;
    }
    return read_file(request_.folder / base);
  }

  // Shorter partial files that later ones replaced may still lie there: somebody may hold on to one as proof, so each must be
  // the beginning of what was signed.
  void check_superseded(const std::string& base, std::string_view signed_bytes, std::uint64_t width, bool entries) {
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(request_.folder / (base + ".p"), error)) {
      const std::string name = file.path().filename().string();
      if (name.empty() || name.size() > 3 || name.find_first_not_of("0123456789") != std::string::npos) continue;
      const auto older = static_cast<std::uint64_t>(std::stoul(name));
      if (older == 0 || older >= width) continue;  // what lies beyond the checkpoint is a torn group
      const auto bytes = read_file(file.path());
      bool clean = true;
      const bool whole = bytes && (entries ? split_entries(*bytes, clean).size() == older && clean : bytes->size() == older * 32);
      if (!whole || !signed_bytes.starts_with(*bytes)) problem("tile", std::nullopt, base + ".p/" + name + " is not the beginning of what was signed later");
    }
  }

  // All entries the bundle file holds, and whether it ends where an entry ends.
  static std::vector<std::string> split_entries(std::string_view bytes, bool& clean) {
    std::vector<std::string> entries;
    while (bytes.size() >= 2) {
      const std::size_t size = big_endian(bytes.substr(0, 2));
      if (bytes.size() - 2 < size) break;
      entries.emplace_back(bytes.substr(2, size));
      bytes.remove_prefix(2 + size);
    }
    clean = bytes.empty();
    return entries;
  }

  void check_bundle(std::uint64_t bundle) {
    const std::uint64_t first = bundle * width_full;
    const std::uint64_t width = std::min(width_full, size_ - first);
    bool cut = false;
    const auto tile = tile_file("tile/0/" + number_path(bundle), width, cut);
    std::vector<Digest> leaves;
    if (!tile || (cut ? tile->size() < width * 32 : tile->size() != width * 32)) {
      problem("tile", first, "the leaf hashes of " + plural(first, width) + " are missing or of the wrong size");
    } else {
      for (std::uint64_t i = 0; i < width; ++i) {
        Digest digest;
        std::copy_n(tile->begin() + static_cast<std::ptrdiff_t>(i * 32), 32, reinterpret_cast<char*>(digest.data()));
        leaves.push_back(digest);
      }
    }
    bool cut_entries = false, clean = true;
    const auto bytes = tile_file("tile/entries/" + number_path(bundle), width, cut_entries);
    std::vector<std::string> entries;
    if (!bytes) {
      problem("dropped", first, plural(first, width) + " are missing");
    } else {
      entries = split_entries(*bytes, clean);
      if (!clean) problem("changed", first + entries.size(), "the entries end inside record " + std::to_string(first + entries.size()));
      if (cut_entries && entries.size() > width) entries.resize(width);
    }
    if (tile) check_superseded("tile/0/" + number_path(bundle), *tile, width, false);
    if (bytes) check_superseded("tile/entries/" + number_path(bundle), *bytes, width, true);
    feed(first, width, leaves, entries);
    if (!leaves.empty() && bytes) compare(first, leaves, entries);
    check_contents(bundle, first, entries);
  }

  // The tree grows from the entries themselves; where one is missing, from its leaf hash, so that later findings stay true.
  void feed(std::uint64_t first, std::uint64_t width, const std::vector<Digest>& leaves, const std::vector<std::string>& entries) {
    Tree within;
    for (std::uint64_t i = 0; i < width; ++i) {
      if (request_.older && tree_.size() == request_.older->size) older_root_ = tree_.root();
      Digest digest{};
      if (i < entries.size()) digest = leaf_digest(entries[i]);
      else if (i < leaves.size()) digest = leaves[i];
      tree_.add(digest);
      within.add(digest);
      if (i < entries.size()) check_entry(first + i, entries[i]);
    }
    if (width == width_full) full_.push_back(within.root());
    if (request_.older && tree_.size() == request_.older->size) older_root_ = tree_.root();
  }

  // Says in a person's words how the entries differ from the leaves that were signed.
  void compare(std::uint64_t first, const std::vector<Digest>& leaves, const std::vector<std::string>& entries) {
    std::vector<Digest> found;
    for (const auto& entry : entries) found.push_back(leaf_digest(entry));
    if (found == leaves) return;
    std::map<Digest, std::int64_t> balance;
    for (const auto& digest : leaves) ++balance[digest];
    for (const auto& digest : found) --balance[digest];
    const bool same_set = std::all_of(balance.begin(), balance.end(), [](const auto& item) { return item.second == 0; });
    if (!same_set && found.size() == leaves.size()) {
      const auto differing = mismatches(leaves, found);
      // one changed record leaves the others in place; a dropped and an inserted one shift what is between
      if (is_shift(leaves, found, differing)) {
        for (const auto i : missing(leaves, found)) problem("dropped", first + i, "record " + std::to_string(first + i) + " was taken out");
        for (const auto i : missing(found, leaves)) problem("inserted", first + i, "a record that was never signed stands in place " + std::to_string(first + i));
        return;
      }
      for (const auto i : differing) problem("changed", first + i, "record " + std::to_string(first + i) + " was changed");
      return;
    }
    if (same_set) {
      for (const auto i : mismatches(leaves, found)) problem("reordered", first + i, "another record stands in place " + std::to_string(first + i));
      return;
    }
    for (const auto i : missing(leaves, found)) problem("dropped", first + i, "record " + std::to_string(first + i) + " was taken out or changed");
    for (const auto i : missing(found, leaves)) problem("inserted", first + i, "a record that was never signed stands in place " + std::to_string(first + i));
  }

  static std::vector<std::uint64_t> mismatches(const std::vector<Digest>& a, const std::vector<Digest>& b) {
    std::vector<std::uint64_t> out;
    for (std::size_t i = 0; i < a.size(); ++i) {
      if (a[i] != b[i]) out.push_back(i);
    }
    return out;
  }
  static std::vector<std::uint64_t> missing(const std::vector<Digest>& of, const std::vector<Digest>& in) {
    std::vector<std::uint64_t> out;
    for (std::size_t i = 0; i < of.size(); ++i) {
      if (std::find(in.begin(), in.end(), of[i]) == in.end()) out.push_back(i);
    }
    return out;
  }
  static bool is_shift(const std::vector<Digest>& leaves, const std::vector<Digest>& found, const std::vector<std::uint64_t>& differing) {
    return differing.size() > missing(leaves, found).size();
  }

  void check_entry(std::uint64_t index, std::string_view entry) {
    const std::string name = "record " + std::to_string(index);
    if (entry.size() != entry_bytes || entry[0] != 1 || entry[1] < 1 || entry[1] > 3) {
      problem("changed", index, name + " is not a record of a known form");
      kinds_.push_back(0);
      return;
    }
    const auto kind = static_cast<unsigned char>(entry[1]);
    const std::uint64_t opened = big_endian(entry.substr(14, 8));
    kinds_.push_back(kind);
    if (kind != 2 && opened != none) problem("changed", index, name + " points at another record, which only a closing one may");
    if (kind == 2 && (opened >= index || opened >= kinds_.size() || kinds_[opened] != 1)) {
      problem("changed", index, name + " closes record " + std::to_string(opened) + ", which is not an opening record before it");
    }
  }

  void check_contents(std::uint64_t bundle, std::uint64_t first, const std::vector<std::string>& entries) {
    const auto path = request_.folder / ("content/" + number_path(bundle));
    const auto bytes = read_file(path);
    if (!bytes) {
      problem("contents", first, "the contents of " + plural(first, std::max<std::uint64_t>(1, entries.size())) + " are missing (" + path.string() + ")");
      return;
    }
    std::uint64_t offset = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].size() != entry_bytes) return;
      const std::string_view entry = entries[i];
      const std::uint64_t size = big_endian(entry.substr(22, 8));
      const std::string name = "the contents of record " + std::to_string(first + i);
      if (offset > bytes->size() || size > bytes->size() - offset) {
        problem("contents", first + i, name + " are cut off");
        return;
      }
      const Digest digest = sha256(std::string_view(*bytes).substr(offset, size));
      if (entry.substr(62, 32) != std::string_view(reinterpret_cast<const char*>(digest.data()), 32)) problem("contents", first + i, name + " were changed");
      offset += size;
      report_.content_bytes += size;
    }
  }

  void check_upper_tiles(int level, const std::vector<Digest>& digests) {
    if (digests.empty()) return;
    std::vector<Digest> above;
    for (std::uint64_t tile = 0; tile * width_full < digests.size(); ++tile) {
      const std::uint64_t width = std::min<std::uint64_t>(width_full, digests.size() - tile * width_full);
      std::string expected;
      Tree within;
      for (std::uint64_t i = tile * width_full; i < tile * width_full + width; ++i) {
        expected.append(digests[i].begin(), digests[i].end());
        within.add(digests[i]);
      }
      const std::string base = "tile/" + std::to_string(level) + "/" + number_path(tile);
      bool cut = false;
      auto bytes = tile_file(base, width, cut);
      if (bytes && cut) bytes->resize(std::min(bytes->size(), expected.size()));
      if (!bytes || *bytes != expected) problem("tile", std::nullopt, base + " is missing or does not follow from the tiles below it");
      check_superseded(base, expected, width, false);
      if (width == width_full) above.push_back(within.root());
    }
    check_upper_tiles(level + 1, above);
  }

  void check_history() {
    if (request_.witnessed_size && size_ < *request_.witnessed_size) {
      problem("truncated", size_, plural(size_, *request_.witnessed_size - size_) + " were cut off: the ledger once had " + std::to_string(*request_.witnessed_size));
    }
    if (!request_.older) return;
    if (request_.older->size > size_) {
      problem("truncated", size_, plural(size_, request_.older->size - size_) + " were cut off: the older checkpoint speaks of " + std::to_string(request_.older->size));
      return;
    }
    if (request_.older->size == 0) older_root_ = sha256("");
    if (older_root_ != request_.older->root) {
      problem("history", std::nullopt, "the first " + std::to_string(request_.older->size) + " records are not those of the older checkpoint: history was rewritten");
    }
  }

  const Request& request_;
  Report report_;
  std::uint64_t size_ = 0;
  Tree tree_;
  std::vector<Digest> full_;
  std::vector<unsigned char> kinds_;
  Digest older_root_{};
};

}  // namespace

Report check(const Request& request) { return Check(request).run(); }

}  // namespace audit_check
