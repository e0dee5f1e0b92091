#include <fmt/format.h>

#include <fstream>

#include "../assembly.h"
#include "../config.h"
#include "../options.h"
#include "../terminal.h"
#include "heng/store/keys.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;

Result<void> write_config(const fs::path& file) {
  std::ofstream out(file);
  out << config_template(usual_model_folders());
  out.flush();
  if (!out) return Error(ErrorCode::internal, "cannot write " + file.string() + "; is the folder writable and the disk not full?");
  return {};
}

Result<std::string> initialise(const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder / "data", failed);
  if (failed) return Error(ErrorCode::internal, fmt::format("cannot make {}: {}", (folder / "data").string(), failed.message()));
  fs::permissions(folder / "data", fs::perms::owner_all, failed);
  fs::create_directories(folder / "models", failed);
  if (!std::getenv("HENG_MASTER_KEY")) HENG_TRY(store::write_master_key(folder / "master.key", store::SecretKey::random()));
  HENG_TRY(write_config(folder / "heng.toml"));
  auto assembly = HENG_TRY(open_assembly(folder, Models::none));
  NewKey key;
  key.user = UserId("admin");
  key.name = "first admin key";
  key.roles = {"admin", "auditor"};
  key.clearance = DataClass::c3;
  auto [info, secret] = HENG_TRY(assembly->identity().create_key(key));
  return secret;
}

int run_init(const fs::path& folder, bool json) {
  if (fs::exists(folder / "heng.toml"))
    return report(Error(ErrorCode::already_exists, fmt::format("{} is there already; nothing was changed", (folder / "heng.toml").string())));
  auto secret = initialise(folder);
  if (!secret.ok()) return report(secret.error());
  if (json) {
    fmt::print("{{\"folder\":\"{}\",\"key\":\"{}\"}}\n", folder.string(), *secret);
    return 0;
  }
  fmt::print("{}\n\n  {}\n\n{}\n", say("Made a new Heng. Its first admin key, shown only once:", "已建立新的衡。首个管理员密钥，仅显示一次："), bold(*secret),
             say("The encryption key is in master.key: keep a copy in a safe place; without it nothing can be read again.",
                 "加密主密钥在 master.key 中：请另行妥善保存副本，遗失后数据无法恢复。"));
  const std::string dir = folder == "." ? "" : fmt::format(" --dir {}", folder.string());
  fmt::print("{}\n  heng ingest FOLDER --kb NAME{}\n  heng ask \"…\" --kb NAME{}\n  heng serve{}\n", say("Next:", "接下来："), dir, dir, dir);
  return 0;
}

}  // namespace

void add_init(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("init", "make a folder with heng.toml, a data directory and keys");
  auto folder = std::make_shared<fs::path>();
  verb->add_option("DIR", *folder, "the folder (default: here)");
  add_common(*verb, common);
  verb->callback([&common, &run, folder] { run = [&common, folder] { return run_init(folder->empty() ? common.folder : *folder, common.json); }; });
}

}  // namespace heng::app
