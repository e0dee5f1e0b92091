#include <fmt/format.h>

#include "../assembly.h"
#include "../config.h"
#include "../options.h"
#include "../terminal.h"
#include "heng/base/clock.h"
#include "heng/store/backup.h"
#include "heng/store/keys.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;

std::int64_t total_bytes(const store::BackupManifest& manifest) {
  std::int64_t bytes = 0;
  for (const auto& file : manifest.files) bytes += static_cast<std::int64_t>(file.size_bytes);
  return bytes;
}

int run_backup(const Common& common, const fs::path& target) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto manifest = store::backup(target, (*assembly)->backup_parts(), system_clock().unix_ms(), HENG_VERSION);
  if (!manifest.ok()) return report(manifest.error());
  fmt::print("{} {}: {} {}, {}\n", say("backup in", "备份位于"), target.string(), manifest->files.size(), say("files", "个文件"), human_bytes(total_bytes(*manifest)));
  fmt::print("{}\n", say("It is encrypted; the master key is not in it.", "备份已加密；主密钥不在其中。"));
  return 0;
}

int run_restore(const Common& common, const fs::path& source) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  std::error_code failed;
  if (fs::exists(config->data, failed) && fs::is_empty(config->data, failed)) fs::remove(config->data, failed);
  auto manifest = store::restore(source, config->data);
  if (!manifest.ok()) {
    if (manifest.error().code == ErrorCode::already_exists)
      return report(Error(ErrorCode::already_exists, fmt::format("{} holds data; restore into a new folder: heng init NEW, remove NEW/data, put the old master.key there, then heng restore {} --dir NEW", config->data.string(), source.string())));
    return report(manifest.error());
  }
  fmt::print("{} {}: {} {}, {} {}\n", say("restored", "已恢复"), config->data.string(), manifest->files.size(), say("files verified", "个文件已校验"), say("of", "时间"), iso8601(manifest->created_ms));
  return 0;
}

int run_rotate(const Common& common, const fs::path& new_key_file) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  auto old_master = store::load_master_key({.file = config->master_key});
  if (!old_master.ok()) return report(old_master.error());
  const fs::path file = new_key_file.empty() ? fs::path(config->master_key.string() + ".new") : new_key_file;
  if (!fs::exists(file)) {
    auto written = store::write_master_key(file, store::SecretKey::random());
    if (!written.ok()) return report(written.error());
  }
  auto new_master = store::load_master_key({.file = file, .environment = ""});
  if (!new_master.ok()) return report(new_master.error());
  store::RotationPlan plan{.databases = {{config->database("heng"), "database/heng"}, {config->database("knowledge"), "database/knowledge"}, {config->database("govern"), "database/govern"}}, .keyring = config->keyring()};
  for (const char* name : {"streams", "batches"})   // made at their first use
    if (fs::exists(config->database(name))) plan.databases.push_back({config->database(name), std::string("database/") + name});
  auto rotated = store::rotate(plan, *old_master, *new_master);
  if (!rotated.ok()) return report(rotated.error());
  if (new_key_file.empty()) {
    std::error_code failed;
    fs::rename(file, config->master_key, failed);
    if (failed) return report(Error(ErrorCode::internal, fmt::format("the data now need the key in {}; rename it to {}", file.string(), config->master_key.string())));
  }
  fmt::print("{}\n", say("Everything is now under the new key. Keep the old one as long as you keep old backups.", "全部数据已改用新密钥。旧备份仍需旧密钥，请一并保留。"));
  return 0;
}

}  // namespace

void add_backup(CLI::App& app, Common& common, Run& run) {
  auto path = std::make_shared<fs::path>();
  auto* backup = app.add_subcommand("backup", "copy databases, ledger and keyring, consistent, also while serving");
  backup->add_option("TARGET", *path, "a new or empty folder")->required();
  add_common(*backup, common, false);
  backup->callback([&, path] { run = [&common, path] { return run_backup(common, *path); }; });
  auto* restore = app.add_subcommand("restore", "verify a backup and put it in place; needs the same master key");
  restore->add_option("SOURCE", *path, "folder that `heng backup` made")->required();
  add_common(*restore, common, false);
  restore->callback([&, path] { run = [&common, path] { return run_restore(common, *path); }; });
  auto* rotate = app.add_subcommand("rotate-key", "encrypt everything under a new master key; stop the server first");
  rotate->add_option("--new-key", *path, "file with 64 hexadecimal digits (default: a new random key replaces master.key)");
  add_common(*rotate, common, false);
  rotate->callback([&, path] { run = [&common, path] { return run_rotate(common, *path); }; });
}

}  // namespace heng::app
