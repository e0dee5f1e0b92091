#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/store/files.h"
#include "heng/store/keys.h"

namespace heng::store {

namespace {

constexpr std::string_view first_line = "heng-keyring 1";
constexpr std::uint64_t limit_bytes = 64 << 20;

struct Line {
  Keyring::Entry entry;
  std::string wrapped;  // empty once destroyed
};

struct Contents {
  std::string check;    // shows whether a master key is the one, without helping to find it
  std::vector<Line> lines;
};

std::string check_value(const SecretKey& master) { return derive_key(master, "keyring/check").hex(); }

// whose key, as it stands in the file: the tenant, and behind unit separators the subject's tag and the purpose
constexpr char owner_separator = '\x1f';
const TenantId tag_tenant{"heng:subject-tags"};   // its key makes the tags; no request can have this tenant

std::string owner_of(const Keyring::Entry& entry) {
  if (!entry.purpose.empty()) return entry.tenant.value + owner_separator + entry.subject_tag + owner_separator + entry.purpose;
  return entry.subject_tag.empty() ? entry.tenant.value : entry.tenant.value + owner_separator + entry.subject_tag;
}

std::string wrap_context(const Keyring::Entry& entry) { return fmt::format("heng-data-key {} {}", entry.id, owner_of(entry)); }

template <class Number>
bool parse_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// "key ID TENANT-BASE64 CREATED WRAPPED-BASE64" or "destroyed ID TENANT-BASE64 CREATED DESTROYED"
std::optional<Line> parse_line(std::string_view line) {
  const auto words = text::split(line, ' ');
  if (words.size() != 5 || (words[0] != "key" && words[0] != "destroyed")) return std::nullopt;
  Line parsed;
  auto tenant = from_base64(words[2]);
  if (!parse_number(words[1], parsed.entry.id) || parsed.entry.id == 0 || !tenant.ok() || !parse_number(words[3], parsed.entry.created_ms)) return std::nullopt;
  const auto separator = tenant->find(owner_separator);
  if (separator != std::string::npos) {
    parsed.entry.subject_tag = tenant->substr(separator + 1);
    const auto second = parsed.entry.subject_tag.find(owner_separator);
    if (second != std::string::npos) {
      parsed.entry.purpose = parsed.entry.subject_tag.substr(second + 1);
      parsed.entry.subject_tag.resize(second);
      if (parsed.entry.purpose.empty() || parsed.entry.purpose.find(owner_separator) != std::string::npos) return std::nullopt;
    } else if (parsed.entry.subject_tag.empty()) {
      return std::nullopt;
    }
    tenant->resize(separator);
  }
  parsed.entry.tenant = TenantId(*tenant);
  if (words[0] == "destroyed") {
    if (!parse_number(words[4], parsed.entry.destroyed_ms) || parsed.entry.destroyed_ms == 0) return std::nullopt;
    return parsed;
  }
  auto wrapped = from_base64(words[4]);
  if (!wrapped.ok() || wrapped->size() != 12 + SecretKey::size + 16) return std::nullopt;
  parsed.wrapped = *wrapped;
  return parsed;
}

Result<Contents> parse(std::string_view text) {
  if (text.empty() || text.back() != '\n') return Error(ErrorCode::corrupt, "keyring: the last line is not complete");
  text.remove_suffix(1);
  const auto lines = text::split(text, '\n');
  if (lines[0] != first_line) return Error(ErrorCode::corrupt, "keyring: line 1 is not \"heng-keyring 1\"");
  if (lines.size() < 2 || !lines[1].starts_with("check ") || lines[1].size() != 6 + 64) {
    return Error(ErrorCode::corrupt, "keyring: line 2 is not a check value");
  }
  Contents contents;
  contents.check = std::string(lines[1].substr(6));
  std::uint32_t last_id = 0;
  for (std::size_t i = 2; i < lines.size(); ++i) {
    auto line = parse_line(lines[i]);
    if (!line || line->entry.id <= last_id) return Error(ErrorCode::corrupt, fmt::format("keyring: line {} is damaged", i + 1));
    last_id = line->entry.id;
    contents.lines.push_back(std::move(*line));
  }
  return contents;
}

std::string print(const Contents& contents) {
  std::string out = fmt::format("{}\ncheck {}\n", first_line, contents.check);
  for (const auto& line : contents.lines) {
    const auto& entry = line.entry;
    out += entry.destroyed_ms != 0
               ? fmt::format("destroyed {} {} {} {}\n", entry.id, to_base64(owner_of(entry)), entry.created_ms, entry.destroyed_ms)
               : fmt::format("key {} {} {} {}\n", entry.id, to_base64(owner_of(entry)), entry.created_ms, to_base64(line.wrapped));
  }
  return out;
}

// The file is replaced by a new one; the blocks of the old one are overwritten before they are given back.
class OldBlocks {
 public:
  explicit OldBlocks(const std::filesystem::path& path) : descriptor_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {}
  ~OldBlocks() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OldBlocks(const OldBlocks&) = delete;
  OldBlocks& operator=(const OldBlocks&) = delete;
  void overwrite() {
    struct stat status {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) return;
    const std::string zeros(static_cast<std::size_t>(status.st_size), '\0');
    if (::pwrite(descriptor_, zeros.data(), zeros.size(), 0) == static_cast<ssize_t>(zeros.size())) ::fsync(descriptor_);
  }

 private:
  int descriptor_;
};

}  // namespace

Result<std::vector<Keyring::Entry>> parse_keyring(std::string_view text) {
  auto contents = HENG_TRY(parse(text));
  std::vector<Keyring::Entry> entries;
  for (const auto& line : contents.lines) entries.push_back(line.entry);
  return entries;
}

struct Keyring::Impl {
  std::filesystem::path file;
  SecretKey master;
  const Clock* clock = nullptr;
  std::mutex mutex;
  Contents contents;
  struct stat seen {};  // of the file that `contents` was read from
  std::map<std::uint32_t, SecretKey> unwrapped;  // of `contents`

  // all with the mutex held
  Result<DataKey> current(const TenantId& tenant, const std::string& tag, const Use& use);
  Result<std::string> tag_of(const TenantId& tenant, const std::string& subject);
  Result<int> destroy(const std::function<bool(const Entry&)>& which);

  std::filesystem::path lock_path() const { return file.string() + ".lock"; }

  Result<void> load() {
    std::string text = HENG_TRY(read_whole_file(file, limit_bytes));
    Contents read = HENG_TRY(parse(text));
    if (read.check != check_value(master)) {
      return Error(ErrorCode::permission_denied, fmt::format("{}: made under another master key", file.string()));
    }
    contents = std::move(read);
    unwrapped.clear();
    ::stat(file.c_str(), &seen);
    return {};
  }
  // another process may have added or destroyed a key
  Result<void> refresh() {
    struct stat now {};
    if (::stat(file.c_str(), &now) != 0) return file_error(errno, "cannot read", file);
    const bool same = now.st_ino == seen.st_ino && now.st_size == seen.st_size && now.st_mtim.tv_sec == seen.st_mtim.tv_sec &&
                      now.st_mtim.tv_nsec == seen.st_mtim.tv_nsec;
    return same ? Result<void>() : load();
  }
  Result<void> save(const Contents& changed) {
    HENG_TRY(write_file_durably(file, print(changed), 0600));
    contents = changed;
    unwrapped.clear();
    ::stat(file.c_str(), &seen);
    return {};
  }
  Result<SecretKey> unwrap(const Line& line) {
    if (const auto known = unwrapped.find(line.entry.id); known != unwrapped.end()) return known->second;
    auto bytes = unseal(derive_key(master, "keyring/wrap"), line.wrapped, wrap_context(line.entry));
    if (!bytes.ok()) return Error(ErrorCode::corrupt, fmt::format("{}: data key {} is damaged; restore the file from a backup", file.string(), line.entry.id));
    SecretKey key = HENG_TRY(SecretKey::from_bytes(*bytes));
    unwrapped[line.entry.id] = key;
    return key;
  }
  const Line* find_current(const TenantId& tenant, const std::string& tag, const Use& use) const {
    for (auto it = contents.lines.rbegin(); it != contents.lines.rend(); ++it) {
      const Entry& entry = it->entry;
      if (entry.tenant != tenant || entry.subject_tag != tag || entry.purpose != use.purpose || entry.destroyed_ms != 0) continue;
      return entry.created_ms < use.not_before_ms ? nullptr : &*it;
    }
    return nullptr;
  }
};

Result<Keyring::DataKey> Keyring::Impl::current(const TenantId& tenant, const std::string& tag, const Use& use) {
  const Line* line = find_current(tenant, tag, use);
  if (line == nullptr) {
    auto lock = HENG_TRY(FileLock::take(lock_path()));
    HENG_TRY(load());
    line = find_current(tenant, tag, use);
    if (line == nullptr) {
      Contents changed = contents;
      Line added;
      added.entry.id = changed.lines.empty() ? 1 : changed.lines.back().entry.id + 1;
      added.entry.tenant = tenant;
      added.entry.subject_tag = tag;
      added.entry.purpose = use.purpose;
      added.entry.created_ms = clock->unix_ms();
      added.wrapped = seal(derive_key(master, "keyring/wrap"), SecretKey::random().bytes(), wrap_context(added.entry));
      changed.lines.push_back(added);
      HENG_TRY(save(changed));
      line = &contents.lines.back();
    }
  }
  return DataKey{line->entry.id, HENG_TRY(unwrap(*line))};
}

Result<std::string> Keyring::Impl::tag_of(const TenantId& tenant, const std::string& subject) {
  const DataKey key = HENG_TRY(current(tag_tenant, "", {}));
  const std::string mac = hmac_sha256(key.key.bytes(), tenant.value + owner_separator + subject);
  return to_hex(mac.data(), 16);
}

Result<int> Keyring::Impl::destroy(const std::function<bool(const Entry&)>& which) {
  auto lock = HENG_TRY(FileLock::take(lock_path()));
  HENG_TRY(load());
  OldBlocks old(file);
  Contents changed = contents;
  int destroyed = 0;
  for (auto& line : changed.lines) {
    if (line.entry.destroyed_ms != 0 || !which(line.entry)) continue;
    line.entry.destroyed_ms = std::max<std::int64_t>(1, clock->unix_ms());
    line.wrapped.clear();
    ++destroyed;
  }
  if (destroyed == 0) return 0;
  HENG_TRY(save(changed));
  old.overwrite();
  return destroyed;
}

Keyring::Keyring(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Keyring::~Keyring() = default;

Result<std::unique_ptr<Keyring>> Keyring::open(const std::filesystem::path& file, const SecretKey& master, const Clock& clock) {
  if (master.empty()) return Error(ErrorCode::invalid_argument, "a keyring needs the master key");
  auto impl = std::make_unique<Impl>();
  impl->file = file;
  impl->master = master;
  impl->clock = &clock;
  {
    auto lock = HENG_TRY(FileLock::take(impl->lock_path()));
    std::error_code ignored;
    if (!std::filesystem::exists(file, ignored)) {
      Contents fresh;
      fresh.check = check_value(master);
      HENG_TRY(impl->save(fresh));
    }
    HENG_TRY(impl->load());
  }
  return std::unique_ptr<Keyring>(new Keyring(std::move(impl)));
}

Result<Keyring::DataKey> Keyring::current(const TenantId& tenant, const std::string& subject, const Use& use) {
  std::lock_guard guard(impl_->mutex);
  HENG_TRY(impl_->refresh());
  std::string tag;
  if (!subject.empty()) tag = HENG_TRY(impl_->tag_of(tenant, subject));
  return impl_->current(tenant, tag, use);
}

Result<std::string> Keyring::subject_tag(const TenantId& tenant, const std::string& subject) {
  std::lock_guard guard(impl_->mutex);
  HENG_TRY(impl_->refresh());
  return impl_->tag_of(tenant, subject);
}

Result<int> Keyring::destroy_subject(const TenantId& tenant, const std::string& subject) {
  std::lock_guard guard(impl_->mutex);
  HENG_TRY(impl_->refresh());
  const std::string tag = HENG_TRY(impl_->tag_of(tenant, subject));
  return impl_->destroy([&](const Entry& entry) { return entry.tenant == tenant && entry.subject_tag == tag; });
}

Result<int> Keyring::destroy_keys(const std::vector<std::uint32_t>& ids) {
  std::lock_guard guard(impl_->mutex);
  return impl_->destroy([&](const Entry& entry) { return std::find(ids.begin(), ids.end(), entry.id) != ids.end(); });
}

Result<SecretKey> Keyring::by_id(std::uint32_t id) {
  std::lock_guard guard(impl_->mutex);
  HENG_TRY(impl_->refresh());
  for (const auto& line : impl_->contents.lines) {
    if (line.entry.id != id) continue;
    if (line.entry.destroyed_ms != 0) {
      return Error(ErrorCode::permission_denied, fmt::format("the contents were erased: data key {} was destroyed on {}", id, iso8601(line.entry.destroyed_ms)));
    }
    return impl_->unwrap(line);
  }
  return Error(ErrorCode::not_found, fmt::format("{}: no data key {}", impl_->file.string(), id));
}

Result<int> Keyring::destroy(const TenantId& tenant) {
  std::lock_guard guard(impl_->mutex);
  return impl_->destroy([&](const Entry& entry) { return entry.tenant == tenant; });
}

std::vector<Keyring::Entry> Keyring::entries() {
  std::lock_guard guard(impl_->mutex);
  (void)impl_->refresh();
  std::vector<Entry> entries;
  for (const auto& line : impl_->contents.lines) entries.push_back(line.entry);
  return entries;
}

Result<void> Keyring::rewrap(const SecretKey& new_master) {
  std::lock_guard guard(impl_->mutex);
  auto lock = HENG_TRY(FileLock::take(impl_->lock_path()));
  HENG_TRY(impl_->load());
  OldBlocks old(impl_->file);
  Contents changed = impl_->contents;
  changed.check = check_value(new_master);
  const SecretKey wrapping = derive_key(new_master, "keyring/wrap");
  for (auto& line : changed.lines) {
    if (line.entry.destroyed_ms != 0) continue;
    const SecretKey key = HENG_TRY(impl_->unwrap(line));
    line.wrapped = seal(wrapping, key.bytes(), wrap_context(line.entry));
  }
  HENG_TRY(impl_->save(changed));
  impl_->master = new_master;
  old.overwrite();
  return {};
}

}  // namespace heng::store
