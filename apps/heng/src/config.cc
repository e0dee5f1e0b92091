#include "config.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdlib>
#include <toml++/toml.h>

#include <fmt/format.h>

namespace heng::app {
namespace {

namespace fs = std::filesystem;

std::string at_line(const fs::path& file, const toml::source_region& source) {
  return fmt::format("{}, line {}", file.string(), source.begin.line);
}

/// Reads one table and complains about what it does not know, so that a misspelt setting is never silently ignored.
class Section {
 public:
  Section(const toml::table& table, std::string name, const fs::path& file) : table_(table), name_(std::move(name)), file_(file) {}

  template <class T>
  Section& read(const char* key, T& out, const char* wanted) {
    known_.emplace_back(key);
    const toml::node* node = table_.get(key);
    if (!node || error_) return *this;
    if (const auto value = node->value_exact<T>()) {
      out = *value;
    } else {
      fail(*node, fmt::format("{}.{} must be {}", name_, key, wanted));
    }
    return *this;
  }
  Section& text(const char* key, std::string& out) { return read(key, out, "text in quotes"); }
  Section& flag(const char* key, bool& out) { return read(key, out, "true or false"); }
  Section& path(const char* key, fs::path& out, const fs::path& base) {
    std::string value;
    text(key, value);
    if (!value.empty()) out = fs::path(value).is_absolute() ? fs::path(value) : base / value;
    return *this;
  }
  Section& whole(const char* key, int& out, std::int64_t least, std::int64_t most) {
    std::int64_t value = out;
    read(key, value, "a whole number");
    if (!error_ && (value < least || value > most))
      fail(*table_.get(key), fmt::format("{}.{} is {}; it must be {} to {}", name_, key, value, least, most));
    out = static_cast<int>(value);
    return *this;
  }
  Section& real(const char* key, double& out) { return read(key, out, "a number such as 1.0"); }
  Section& texts(const char* key, std::vector<std::string>& out) {
    known_.emplace_back(key);
    const toml::node* node = table_.get(key);
    if (!node || error_) return *this;
    const toml::array* array = node->as_array();
    if (!array) return fail(*node, fmt::format("{}.{} must be a list of texts", name_, key));
    out.clear();
    for (const auto& item : *array) {
      const auto value = item.value_exact<std::string>();
      if (!value) return fail(item, fmt::format("{}.{} must hold texts only", name_, key));
      out.push_back(*value);
    }
    return *this;
  }
  /// The error, or one for the first unknown key.
  Result<void> finish() {
    if (error_) return *error_;
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      std::string all;
      for (const auto& known : known_) all += (all.empty() ? "" : ", ") + known;
      return Error(ErrorCode::malformed_input,
                   fmt::format("{}: [{}] has no setting \"{}\"; it knows {}", at_line(file_, node.source()), name_, name, all));
    }
    return {};
  }

 private:
  Section& fail(const toml::node& node, std::string message) {
    if (!error_) error_ = Error(ErrorCode::malformed_input, at_line(file_, node.source()) + ": " + std::move(message));
    return *this;
  }
  const toml::table& table_;
  std::string name_;
  const fs::path& file_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

Result<void> read_server(const toml::table& table, const fs::path& file, Config& config) {
  Section section(table, "server", file);
  int port = config.port;
  section.text("address", config.address).whole("port", port, 0, 65535)
      .path("tls_certificate", config.tls_certificate, config.folder).path("tls_key", config.tls_key, config.folder)
      .texts("cors_origins", config.cors_origins).flag("console", config.console).whole("drain_s", config.drain_s, 0, 3600);
  config.port = static_cast<std::uint16_t>(port);
  return section.finish();
}

Result<void> read_models(const toml::table& table, const fs::path& file, Config& config) {
  Section section(table, "models", file);
  std::vector<std::string> folders;
  section.texts("folders", folders).text("chat", config.chat_model).text("embedding", config.embedding_model)
      .whole("context_tokens", config.context_tokens, 512, 1 << 20).whole("threads", config.threads, 0, 1024)
      .whole("gpu_layers", config.gpu_layers, -1, 1000).flag("preload", config.preload);
  HENG_TRY(section.finish());
  for (const auto& folder : folders)
    config.model_folders.push_back(fs::path(folder).is_absolute() ? fs::path(folder) : config.folder / folder);
  return {};
}

Result<void> read_remotes(const toml::node& node, const fs::path& file, Config& config) {
  const toml::array* array = node.as_array();
  if (!array) return Error(ErrorCode::malformed_input, at_line(file, node.source()) + ": write [[remote]], with two brackets");
  for (const auto& item : *array) {
    const toml::table* table = item.as_table();
    if (!table) return Error(ErrorCode::malformed_input, at_line(file, item.source()) + ": [[remote]] must be a table");
    RemoteModel remote;
    Section section(*table, "remote", file);
    section.text("name", remote.name).text("url", remote.url).text("remote_name", remote.remote_name).text("kind", remote.kind)
        .text("key_env", remote.key_env).text("ca_file", remote.ca_file).whole("context_tokens", remote.context_tokens, 256, 1 << 24);
    HENG_TRY(section.finish());
    if (remote.name.empty() || remote.url.empty())
      return Error(ErrorCode::malformed_input, at_line(file, item.source()) + ": [[remote]] needs name and url");
    config.remotes.push_back(std::move(remote));
  }
  return {};
}

Result<void> read_adapters(const toml::node& node, const fs::path& file, Config& config) {
  const toml::array* array = node.as_array();
  if (!array) return Error(ErrorCode::malformed_input, at_line(file, node.source()) + ": write [[adapter]], with two brackets");
  for (const auto& item : *array) {
    const toml::table* table = item.as_table();
    if (!table) return Error(ErrorCode::malformed_input, at_line(file, item.source()) + ": [[adapter]] must be a table");
    Adapter adapter;
    Section section(*table, "adapter", file);
    section.text("name", adapter.name).text("model", adapter.model).path("path", adapter.path, config.folder).real("scale", adapter.scale);
    HENG_TRY(section.finish());
    if (adapter.name.empty() || adapter.model.empty() || adapter.path.empty())
      return Error(ErrorCode::malformed_input, at_line(file, item.source()) + ": [[adapter]] needs name, model and path");
    config.adapters.push_back(std::move(adapter));
  }
  return {};
}

Result<void> read_review(const toml::table& table, const fs::path& file, review::QueueSettings& review) {
  Section section(table, "review", file);
  int due = static_cast<int>(review.due.count()), expires = static_cast<int>(review.expires.count()), valid = static_cast<int>(review.approval_valid.count());
  constexpr int year = 525'600;
  section.texts("knowledge_bases", review.knowledge_bases).texts("models", review.models).texts("four_eyes", review.four_eyes)
      .real("double_share", review.double_share).whole("due_minutes", due, 1, year).whole("expires_minutes", expires, 1, year)
      .whole("approval_minutes", valid, 1, year);
  review.due = std::chrono::minutes(due);
  review.expires = std::chrono::minutes(expires);
  review.approval_valid = std::chrono::minutes(valid);
  return section.finish();
}

Result<void> read_monitor(const toml::table& table, const fs::path& file, monitor::MonitorSettings& m) {
  Section section(table, "monitor", file);
  section.real("prompt_price", m.prompt_price).real("completion_price", m.completion_price).text("currency", m.currency).real("most_psi", m.most_psi)
      .real("most_refused_share", m.most_refused_share).real("most_abstained_share", m.most_abstained_share).real("most_bad_share", m.most_bad_share)
      .real("most_error_share", m.most_error_share).real("least_catch_rate", m.least_catch_rate).whole("most_overdue", m.most_overdue, 0, 1'000'000)
      .whole("least_for_share", m.least_for_share, 1, 1'000'000);
  return section.finish();
}

Result<void> read_batches(const toml::table& table, const fs::path& file, batches::BatchSettings& b) {
  Section section(table, "batches", file);
  int file_mib = static_cast<int>(b.file_bytes >> 20), tenant_mib = static_cast<int>(b.tenant_bytes >> 20);
  section.whole("file_mib", file_mib, 1, 400).whole("tenant_mib", tenant_mib, 1, 1 << 20).whole("lines", b.lines, 1, 1'000'000).whole("tenant_batches", b.tenant_batches, 1, 1000)
      .whole("parallel", b.parallel, 1, 64);
  b.file_bytes = static_cast<std::size_t>(file_mib) << 20;
  b.tenant_bytes = static_cast<std::int64_t>(tenant_mib) << 20;
  return section.finish();
}

Result<void> read_roles(const toml::node& node, const fs::path& file, Config& config) {
  const toml::array* array = node.as_array();
  if (!array) return Error(ErrorCode::malformed_input, at_line(file, node.source()) + ": write [[role]], with two brackets");
  for (const auto& item : *array) {
    const toml::table* table = item.as_table();
    if (!table) return Error(ErrorCode::malformed_input, at_line(file, item.source()) + ": [[role]] must be a table");
    access::Rule rule;
    std::vector<std::string> may;
    std::string desks = "any", most_class = "C3";
    Section section(*table, "role", file);
    section.text("name", rule.role).texts("may", may).text("desks", desks).text("most_class", most_class).texts("purposes", rule.purposes);
    HENG_TRY(section.finish());
    const auto wrong = [&](const std::string& why) { return Error(ErrorCode::malformed_input, at_line(file, item.source()) + ": [[role]] " + why); };
    for (const auto& name : may) {
      const auto action = access::parse_action(name);
      if (!action.ok()) return wrong(action.error().message);
      rule.actions.push_back(*action);
    }
    if (desks != "any" && desks != "own") return wrong("desks must be \"any\" or \"own\"");
    rule.desks = desks == "own" ? access::DeskScope::own : access::DeskScope::any;
    if (most_class != "C1" && most_class != "C2" && most_class != "C3") return wrong("most_class must be C1, C2 or C3");
    rule.most_class = most_class == "C3" ? DataClass::c3 : most_class == "C2" ? DataClass::c2 : DataClass::c1;
    config.roles.push_back(std::move(rule));
  }
  if (auto policy = access::make_policy(config.roles); !policy.ok()) return Error(ErrorCode::malformed_input, at_line(file, node.source()) + ": [[role]] " + policy.error().message);
  return {};
}

/// Rows of [[oidc.map]]: what a claim of the identity provider gives.
Result<void> read_claims(const toml::node& node, const fs::path& file, oidc::Settings& oidc) {
  const toml::array* array = node.as_array();
  if (!array) return Error(ErrorCode::malformed_input, at_line(file, node.source()) + ": write [[oidc.map]], with two brackets");
  for (const auto& item : *array) {
    const toml::table* table = item.as_table();
    if (!table) return Error(ErrorCode::malformed_input, at_line(file, item.source()) + ": [[oidc.map]] must be a table");
    oidc::MapRule rule;
    std::string clearance;
    Section section(*table, "oidc.map", file);
    section.text("claim", rule.claim).text("value", rule.value).texts("roles", rule.roles).text("tenant", rule.tenant).text("desk", rule.desk).text("purpose", rule.purpose).text("clearance", clearance);
    HENG_TRY(section.finish());
    if (rule.claim.empty() || rule.value.empty()) return Error(ErrorCode::malformed_input, at_line(file, item.source()) + ": [[oidc.map]] needs claim and value");
    if (!clearance.empty() && clearance != "C1" && clearance != "C2" && clearance != "C3") return Error(ErrorCode::malformed_input, at_line(file, item.source()) + ": [[oidc.map]] clearance must be C1, C2 or C3");
    if (!clearance.empty()) rule.clearance = clearance == "C3" ? DataClass::c3 : clearance == "C2" ? DataClass::c2 : DataClass::c1;
    oidc.map.push_back(std::move(rule));
  }
  return {};
}

Result<void> read_oidc(const toml::table& table, const fs::path& file, Config& config) {
  oidc::Settings oidc;
  toml::table own = table;
  if (const auto* map = table.get("map")) HENG_TRY(read_claims(*map, file, oidc));
  own.erase("map");
  Section section(own, "oidc", file);
  fs::path ca_file;
  section.text("name", oidc.name).text("issuer", oidc.issuer).text("client_id", oidc.client_id).path("client_secret_file", config.oidc_secret, config.folder).text("redirect", oidc.redirect)
      .path("ca_file", ca_file, config.folder).texts("scopes", oidc.scopes).texts("algorithms", oidc.algorithms).whole("skew_s", oidc.skew_s, 0, 300).flag("userinfo", oidc.userinfo)
      .flag("logout_at_provider", oidc.logout_at_provider).text("user_claim", oidc.user_claim).text("tenant", oidc.tenant);
  HENG_TRY(section.finish());
  oidc.ca_file = ca_file.string();
  for (const auto& [name, value] : {std::pair{"issuer", &oidc.issuer}, {"client_id", &oidc.client_id}, {"redirect", &oidc.redirect}})
    if (value->empty()) return Error(ErrorCode::malformed_input, at_line(file, table.source()) + fmt::format(": [oidc] needs {}", name));
  if (oidc.map.empty()) return Error(ErrorCode::malformed_input, at_line(file, table.source()) + ": [oidc] needs [[oidc.map]], or nobody could sign in");
  config.oidc = std::move(oidc);
  return {};
}

Result<void> read_table(const std::string& key, const toml::node& node, const fs::path& file, Config& config) {
  if (key == "remote") return read_remotes(node, file, config);
  if (key == "adapter") return read_adapters(node, file, config);
  const toml::table* table = node.as_table();
  if (table && key == "server") return read_server(*table, file, config);
  if (table && key == "models") return read_models(*table, file, config);
  if (key == "role") return read_roles(node, file, config);
  if (table && key == "monitor") return read_monitor(*table, file, config.monitor);
  if (table && key == "oidc") return read_oidc(*table, file, config);
  if (table && key == "batches") return read_batches(*table, file, config.batches);
  if (table && key == "review") return read_review(*table, file, config.review);
  if (table && key == "governance") {
    Section section(*table, "governance", file);
    section.flag("require_approved_models", config.require_approved_models);
    return section.finish();
  }
  if (table && key == "vault") {
    Section section(*table, "vault", file);
    int valid = static_cast<int>(config.vault.valid.count());
    section.whole("valid_minutes", valid, 1, 525'600);
    config.vault.valid = std::chrono::minutes(valid);
    return section.finish();
  }
  if (table && key == "data") {
    Section section(*table, "data", file);
    section.path("folder", config.data, config.folder).path("master_key", config.master_key, config.folder);
    return section.finish();
  }
  if (table && key == "label") {
    Section section(*table, "label", file);
    section.text("provider", config.provider);
    HENG_TRY(section.finish());
    if (config.provider.empty() || config.provider.size() > 128)
      return Error(ErrorCode::malformed_input, at_line(file, node.source()) + ": label.provider must have 1 to 128 bytes: the law wants a name or code of the provider");
    return {};
  }
  if (table && key == "log") {
    Section section(*table, "log", file);
    section.text("level", config.log_level);
    return section.finish();
  }
  if (table && key == "parser") {
    Section section(*table, "parser", file);
    section.path("program", config.parser, config.folder).flag("allow_missing_sandbox", config.allow_missing_sandbox);
    return section.finish();
  }
  return Error(ErrorCode::malformed_input, fmt::format("{}: unknown section [{}]; known are [data], [server], [models], [label], [log], "
                                                       "[parser], [review], [vault], [governance], [monitor], [batches], [oidc], [[role]], [[remote]], [[adapter]]", at_line(file, node.source()), key));
}

}  // namespace

Result<Config> load_config(const fs::path& folder) {
  std::error_code ignored;
  const fs::path absolute = fs::absolute(folder, ignored);
  const fs::path file = absolute / "heng.toml";
  if (!fs::exists(file, ignored))
    return Error(ErrorCode::not_found, fmt::format("there is no {}; make one with: heng init {}", file.string(), folder.string()));
  Config config;
  config.folder = absolute;
  config.data = absolute / "data";
  config.master_key = absolute / "master.key";
  try {
    const toml::table root = toml::parse_file(file.string());
    for (const auto& [key, node] : root) HENG_TRY(read_table(std::string(key.str()), node, file, config));
  } catch (const toml::parse_error& error) {
    return Error(ErrorCode::malformed_input, at_line(file, error.source()) + ": " + std::string(error.description()));
  }
  if (config.model_folders.empty()) config.model_folders = usual_model_folders();
  return config;
}

std::vector<fs::path> usual_model_folders() {
  std::vector<fs::path> out;
  if (const char* given = std::getenv("HENG_MODELS"); given && *given) out.emplace_back(given);
  if (const char* cache = std::getenv("HENG_CACHE"); cache && *cache) {
    out.push_back(fs::path(cache) / "models");
  } else if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg && *xdg) {
    out.push_back(fs::path(xdg) / "heng" / "models");
  } else if (const char* home = std::getenv("HOME"); home && *home) {
    out.push_back(fs::path(home) / ".cache" / "heng" / "models");
  }
  return out;
}

std::string model_name(const fs::path& file) {
  std::string name = file.stem().string();
  static const RE2 quantisation(R"((?i)[-_.](i?q\d[\w]*|f16|bf16|f32|mxfp4)$)");
  RE2::Replace(&name, quantisation, "");
  return name;
}

std::string config_template(const std::vector<fs::path>& model_folders) {
  std::string folders = "\"models\"";
  for (const auto& folder : model_folders) folders += fmt::format(", \"{}\"", folder.string());
  return fmt::format(R"(# Heng. Paths are relative to this file. What is commented out shows the default.

[data]
# folder = "data"            # databases, ledger, keyring: everything that `heng backup` keeps
# master_key = "master.key"  # or the environment variable HENG_MASTER_KEY (64 hexadecimal digits); keep a copy elsewhere

[server]
# address = "127.0.0.1"      # another address needs tls_certificate and tls_key
# port = 8460
# tls_certificate = "tls/server.pem"
# tls_key = "tls/server.key"
# cors_origins = []          # exact origins; empty: off
# console = true             # serve the web console at /
# drain_s = 20               # how long running answers may take at shutdown

[models]
folders = [{}]   # every *.gguf in them is offered
# chat = ""                  # default chat model; empty: the largest of at most 4 GB
# embedding = ""             # default embedding model; empty: multilingual-e5-small, else the first found
# context_tokens = 16384     # for each chat model, shared by all its conversations
# threads = 0                # 0: one per core
# gpu_layers = -1            # -1: all, where built with a GPU
# preload = true             # load the default models at start instead of at the first request

[label]
# provider = "Heng"          # name or code of the institution in the labels of generated content (标识办法 art. 5)

[log]
# level = "info"             # debug, info, warn, error, off; never holds prompts or documents

# [review]                   # what people must see before the user does
# knowledge_bases = []       # every answer from these; "*": all
# models = []                # every chat with these; "*": all
# four_eyes = []             # rules, knowledge bases or models whose items need two people
# double_share = 0.0         # share of the other items that two people judge, to measure their agreement
# due_minutes = 60           # then it is escalated
# expires_minutes = 1440     # then it is never released
# approval_minutes = 1440    # how long an approval is worth something

# [vault]                    # values masked with the action "vault"
# valid_minutes = 1440       # from a request to unmask to its reading

# [governance]
# require_approved_models = false  # true: chat models run only with weights that `heng inventory` has approved

# [batches]                  # /v1/files and /v1/batches
# file_mib = 100             # largest file
# tenant_mib = 2048          # of all files of a tenant, results included
# lines = 50000              # of a batch
# tenant_batches = 20        # that are not over, at once
# parallel = 4               # lines answered at once, of all batches together

# [monitor]                  # `heng monitor report`; shares and limits raise alerts
# prompt_price = 0.0         # of a million tokens
# completion_price = 0.0
# currency = "CNY"
# most_psi = 0.25
# most_refused_share = 0.2

# [oidc]                     # people sign in at your identity provider (OpenID Connect)
# name = "Harbour Bank"      # on the button
# issuer = "https://login.example.internal/realms/staff"
# client_id = "heng"
# client_secret_file = "oidc.secret"   # mode 600; none: a public client
# redirect = "https://heng.example.internal/sign-in"   # register exactly this at the provider
# ca_file = "ca.pem"         # what the provider's certificate is checked against; empty: the system's
# scopes = ["openid", "profile"]
# algorithms = ["RS256", "PS256", "ES256", "EdDSA"]
# skew_s = 60                # by how much the two clocks may differ
# userinfo = false           # ask for claims that are not in the token
# user_claim = "sub"         # what accounts are called; must not be the person's own to choose
# tenant = "default"         # where no row says another
# logout_at_provider = false # signing out here ends the session there too

# [[oidc.map]]               # who is nobody here gets nothing: at least one row must fit
# claim = "groups"           # "realm_access.roles" looks inside an object
# value = "heng-reviewers"
# roles = ["reviewer"]
# desk = "loans"
# clearance = "C2"

# [[role]]                   # a role of your own; `heng key create --roles teller`
# name = "teller"
# may = ["kb.manage"]        # beyond what everyone may: docs of the room govern/access list the rights
# desks = "own"
# most_class = "C2"
# purposes = ["customer_service"]

# [[remote]]                 # a model on another OpenAI-compatible server
# name = "large"
# url = "https://models.example.internal/v1"
# remote_name = "qwen3-32b"
# key_env = "LARGE_MODEL_KEY"

# [[adapter]]                # a LoRA adapter (GGUF) for a chat model
# name = "house-style"
# model = "qwen2.5-coder-1.5b-instruct"
# path = "adapters/house-style.gguf"
)", folders);
}

}  // namespace heng::app
