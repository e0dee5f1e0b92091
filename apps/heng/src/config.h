#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "heng/base/result.h"
#include "heng/access/access.h"
#include "heng/batches/engine.h"
#include "heng/monitor/monitor.h"
#include "heng/oidc/sign_in.h"
#include "heng/review/review_queue.h"
#include "heng/vault/sealed_vault.h"

namespace heng::app {

struct RemoteModel {
  std::string name, url, remote_name, kind = "chat", key_env, ca_file;
  int context_tokens = 32768;
};

struct Adapter {
  std::string name, model;
  std::filesystem::path path;
  double scale = 1.0;
};

/// What heng.toml says. Paths are absolute; what the file leaves out has the default given here.
struct Config {
  std::filesystem::path folder;                    ///< Where heng.toml stands.
  std::filesystem::path data;                      ///< Databases, ledger, keyring.
  std::filesystem::path master_key;

  std::string address = "127.0.0.1";
  std::uint16_t port = 8460;
  std::filesystem::path tls_certificate, tls_key;
  std::vector<std::string> cors_origins;
  bool console = true;
  int drain_s = 20;

  std::vector<std::filesystem::path> model_folders;
  std::string chat_model, embedding_model;         ///< Names; empty: the first found.
  int context_tokens = 16384;
  int threads = 0;
  int gpu_layers = -1;
  bool preload = true;
  std::vector<RemoteModel> remotes;
  std::vector<Adapter> adapters;

  std::string log_level = "info";
  std::string provider = "Heng";                   ///< The institution's name or code in the labels of generated content.
  monitor::MonitorSettings monitor;                ///< Prices and thresholds.
  std::vector<access::Rule> roles;                 ///< The institution's own.
  std::optional<oidc::Settings> oidc;              ///< The identity provider; without its secret.
  std::filesystem::path oidc_secret;               ///< File of the client's secret; empty: none.
  batches::BatchSettings batches;                  ///< Limits of files and batches.
  review::QueueSettings review;                    ///< What goes to people, and for how long.
  vault::VaultSettings vault;                      ///< How long a request to unmask is worth something.
  bool require_approved_models = false;            ///< A chat model runs only where the inventory has approved its weights.
  std::filesystem::path parser;                    ///< heng-parse; empty: beside the program.
  bool allow_missing_sandbox = false;

  std::filesystem::path database(const std::string& name) const { return data / (name + ".db"); }
  std::filesystem::path ledger() const { return data / "ledger"; }
  std::filesystem::path retention() const { return folder / "policies" / "retention.toml"; }
  std::filesystem::path tasks() const { return data / "tasks"; }
  std::filesystem::path keyring() const { return data / "keyring"; }
};

/// Reads DIR/heng.toml. Errors: not_found (says `heng init`), malformed_input (file, line, what is wrong).
Result<Config> load_config(const std::filesystem::path& folder);

/// The text of a new heng.toml with every setting explained. `model_folders` are written as given.
std::string config_template(const std::vector<std::filesystem::path>& model_folders);

/// Where model files may already be on this machine: $HENG_MODELS, then the user's cache.
std::vector<std::filesystem::path> usual_model_folders();

/// "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf" → "qwen2.5-coder-0.5b-instruct".
std::string model_name(const std::filesystem::path& file);

}  // namespace heng::app
