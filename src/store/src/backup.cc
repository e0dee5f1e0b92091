#include "heng/store/backup.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "heng/base/hash.h"
#include "heng/store/database.h"
#include "heng/store/files.h"

namespace heng::store {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view manifest_name = "manifest.json";

Result<void> make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return file_error(error.value(), "cannot make the folder", folder);
  fs::permissions(folder, fs::perms::owner_all, error);
  return {};
}

Result<void> require_absent_or_empty(const fs::path& folder) {
  std::error_code error;
  if (!fs::exists(folder, error)) return {};
  if (!fs::is_directory(folder, error) || !fs::is_empty(folder, error)) {
    return Error(ErrorCode::already_exists, fmt::format("{}: must be absent or an empty folder", folder.string()));
  }
  return {};
}

Result<void> copy_durably(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::copy_file(from, to, error);
  if (error) return file_error(error.value(), "cannot copy from " + from.string(), to);
  fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write, error);
  HENG_TRY(sync_file(to));
  return sync_folder(to.parent_path());
}

Result<std::vector<fs::path>> files_under(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (auto it = fs::recursive_directory_iterator(folder, error); !error && it != fs::recursive_directory_iterator(); it.increment(error)) {
    if (it->is_symlink()) return Error(ErrorCode::corrupt, fmt::format("{}: a backup holds no symbolic links", it->path().string()));
    if (it->is_regular_file()) files.push_back(it->path().lexically_relative(folder));
  }
  if (error) return file_error(error.value(), "cannot list", folder);
  std::sort(files.begin(), files.end());
  return files;
}

bool is_safe(const fs::path& path) {
  if (path.empty() || path.is_absolute()) return false;
  return std::none_of(path.begin(), path.end(), [](const fs::path& part) { return part == ".." || part == "." || part.empty(); });
}

std::string print_manifest(const BackupManifest& manifest) {
  nlohmann::json files = nlohmann::json::array();
  for (const auto& file : manifest.files) files.push_back({{"path", file.path}, {"size_bytes", file.size_bytes}, {"sha256", file.sha256}});
  return nlohmann::json{{"format", "heng-backup/1"}, {"created_ms", manifest.created_ms},
                        {"program_version", manifest.program_version}, {"files", files}}.dump(1) + "\n";
}

// A database copy leaves empty -wal and -shm files behind when it is opened; they are not part of it.
void drop_side_files(const fs::path& database) {
  std::error_code ignored;
  for (const char* suffix : {"-wal", "-shm"}) fs::remove(database.string() + suffix, ignored);
}

}  // namespace

BackupPart database_part(std::string name, fs::path database, SecretKey key) {
  return {std::move(name), [database = std::move(database), key = std::move(key)](const fs::path& target) -> Result<void> {
            {
              auto source = HENG_TRY(Database::open({.path = database, .key = key, .create = false}));
              HENG_TRY(source->backup_to(target));
              auto copy = HENG_TRY(Database::open({.path = target, .key = key, .create = false}));
              HENG_TRY(copy->check_pages());
              HENG_TRY(copy->checkpoint());
            }
            drop_side_files(target);
            return {};
          }};
}

BackupPart file_part(std::string name, fs::path file) {
  return {std::move(name), [file = std::move(file)](const fs::path& target) -> Result<void> { return copy_durably(file, target); }};
}

Result<BackupManifest> backup(const fs::path& target, const std::vector<BackupPart>& parts, std::int64_t now_ms, const std::string& program_version) {
  HENG_TRY(require_absent_or_empty(target));
  HENG_TRY(make_folder(target));
  for (const auto& part : parts) {
    if (!is_safe(part.name)) return Error(ErrorCode::invalid_argument, fmt::format("\"{}\" is no name for a part of a backup", part.name));
    const fs::path path = target / part.name;
    HENG_TRY(make_folder(path.parent_path()));
    HENG_TRY(part.write(path));
  }
  BackupManifest manifest{.created_ms = now_ms, .program_version = program_version};
  std::error_code ignored;
  for (const auto& file : HENG_TRY(files_under(target))) {
    manifest.files.push_back({file.generic_string(), fs::file_size(target / file, ignored), HENG_TRY(sha256_file(target / file))});
  }
  HENG_TRY(write_file_durably(target / manifest_name, print_manifest(manifest)));
  return manifest;
}

Result<BackupManifest> parse_manifest(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  const Error damaged(ErrorCode::corrupt, "manifest.json is damaged");
  if (!json.is_object() || json.value("format", nlohmann::json()) != "heng-backup/1" || !json.contains("files") || !json["files"].is_array()) return damaged;
  BackupManifest manifest;
  try {
    manifest.created_ms = json.at("created_ms").get<std::int64_t>();
    manifest.program_version = json.at("program_version").get<std::string>();
    for (const auto& entry : json["files"]) {
      BackupFile file{entry.at("path").get<std::string>(), entry.at("size_bytes").get<std::uint64_t>(), entry.at("sha256").get<std::string>()};
      if (!is_safe(file.path) || file.sha256.size() != 64) return damaged;
      manifest.files.push_back(std::move(file));
    }
  } catch (const nlohmann::json::exception&) {
    return damaged;
  }
  return manifest;
}

Result<BackupManifest> verify_backup(const fs::path& source) {
  auto text = read_whole_file(source / manifest_name, 256 << 20);
  if (!text.ok()) return Error(ErrorCode::not_found, fmt::format("{}: no complete backup (manifest.json is missing or unreadable)", source.string()));
  BackupManifest manifest = HENG_TRY(parse_manifest(*text));
  std::set<std::string> listed{std::string(manifest_name)};
  for (const auto& file : manifest.files) {
    listed.insert(file.path);
    std::error_code error;
    const auto size = fs::file_size(source / file.path, error);
    if (error) return Error(ErrorCode::corrupt, fmt::format("{}: missing from the backup", file.path));
    if (size != file.size_bytes || HENG_TRY(sha256_file(source / file.path)) != file.sha256) {
      return Error(ErrorCode::corrupt, fmt::format("{}: not the file that was backed up", file.path));
    }
  }
  for (const auto& file : HENG_TRY(files_under(source))) {
    if (!listed.contains(file.generic_string())) return Error(ErrorCode::corrupt, fmt::format("{}: not in the manifest", file.generic_string()));
  }
  return manifest;
}

Result<BackupManifest> restore(const fs::path& source, const fs::path& target) {
  HENG_TRY(verify_backup(source));
  HENG_TRY(require_absent_or_empty(target));
  const fs::path whole = target.has_filename() ? target : target.parent_path();
  const fs::path staging = whole.string() + ".restoring";
  std::error_code error;
  fs::remove_all(staging, error);
  const auto copy = [&]() -> Result<BackupManifest> {
    HENG_TRY(make_folder(staging));
    for (const auto& file : HENG_TRY(files_under(source))) {
      HENG_TRY(make_folder((staging / file).parent_path()));
      HENG_TRY(copy_durably(source / file, staging / file));
    }
    return verify_backup(staging);
  };
  auto manifest = copy();
  if (manifest.ok()) {
    fs::remove(staging / manifest_name, error);
    fs::remove(whole, error);  // an empty folder in the way
    fs::rename(staging, whole, error);
    if (!error) {
      HENG_TRY(sync_folder(fs::absolute(whole).parent_path()));
      return manifest;
    }
    manifest = file_error(error.value(), "cannot rename the restored folder", whole);
  }
  std::error_code ignored;
  fs::remove_all(staging, ignored);
  return manifest;
}

}  // namespace heng::store
