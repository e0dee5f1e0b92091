#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "../assembly.h"
#include "../config.h"
#include "../options.h"
#include "../terminal.h"
#include "heng/infer/gguf_header.h"
#include "heng/infer/llama/engine.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;

int run_list(const Common& common) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  const auto files = find_models(*config);
  const std::string chat = default_chat_model(*config, files);
  std::vector<std::vector<std::string>> rows = {{say("model", "模型"), say("size", "大小"), "sha256", say("file", "文件")}};
  for (const auto& file : files) {
    auto hash = infer::model_file_sha256(file.path);
    const std::string sha = hash.ok() ? *hash : "?";
    if (common.json) {
      fmt::print("{}\n", nlohmann::json({{"name", file.name}, {"path", file.path.string()}, {"size_bytes", file.size_bytes}, {"sha256", sha}, {"default", file.name == chat}}).dump());
    }
    rows.push_back({file.name + (file.name == chat ? " *" : ""), human_bytes(file.size_bytes), sha.substr(0, 16), file.path.string()});
  }
  if (common.json) return 0;
  if (files.empty()) {
    fmt::print("{}\n", say("no models found; add one with: heng models add FILE.gguf", "没有模型；用 heng models add FILE.gguf 添加"));
    return 0;
  }
  fmt::print("{}* {}\n", table(rows, {1}), say("default chat model", "默认对话模型"));
  return 0;
}

int run_add(const Common& common, const fs::path& file) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  auto header = infer::read_gguf_header(file);
  if (!header.ok()) return report(header.error());
  const fs::path target = config->folder / "models" / file.filename();
  std::error_code failed;
  fs::create_directories(target.parent_path(), failed);
  if (fs::exists(target)) return report(Error(ErrorCode::already_exists, target.string() + " is there already; nothing was changed"));
  fs::create_hard_link(file, target, failed);
  if (failed) fs::copy_file(file, target, failed);  // another file system
  if (failed) return report(Error(ErrorCode::internal, fmt::format("cannot copy to {}: {}", target.string(), failed.message())));
  auto hash = infer::model_file_sha256(target);
  if (!hash.ok()) return report(hash.error());
  fmt::print("{} {}\nsha256 {}\n", say("added", "已添加"), model_name(target), *hash);
  return 0;
}

int run_verify(const Common& common) {
  auto config = load_config(common.folder);
  if (!config.ok()) return report(config.error());
  int bad = 0;
  for (const auto& file : find_models(*config)) {
    auto verified = infer::verify_model_file(file.path);
    if (verified.ok()) {
      fmt::print("{}  {}\n", say("ok  ", "正常"), file.path.string());
    } else {
      ++bad;
      fmt::print("{}  {}: {}\n", say("BAD ", "异常"), file.path.string(), verified.error().message);
    }
  }
  return bad ? 1 : 0;
}

}  // namespace

void add_models(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("models", "list, add and verify model files (GGUF)");
  verb->require_subcommand(1);
  auto* list = verb->add_subcommand("list", "models found in the configured folders");
  add_common(*list, common);
  list->callback([&] { run = [&common] { return run_list(common); }; });
  auto* add = verb->add_subcommand("add", "check a GGUF file and put it into DIR/models");
  auto file = std::make_shared<fs::path>();
  add->add_option("FILE", *file, "a .gguf file")->required();
  add_common(*add, common, false);
  add->callback([&, file] { run = [&common, file] { return run_add(common, *file); }; });
  auto* verify = verb->add_subcommand("verify", "hash every model file again and compare");
  add_common(*verify, common, false);
  verify->callback([&] { run = [&common] { return run_verify(common); }; });
}

}  // namespace heng::app
