#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heng/access/access.h"
#include "heng/base/clock.h"
#include "heng/base/result.h"
#include "heng/contracts/answer.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/audit_reader.h"
#include "heng/contracts/batches.h"
#include "heng/contracts/feedback.h"
#include "heng/contracts/guard.h"
#include "heng/contracts/identity.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/insight.h"
#include "heng/contracts/knowledge.h"
#include "heng/contracts/policies.h"
#include "heng/contracts/review.h"
#include "heng/contracts/sign_in.h"
#include "heng/contracts/stops.h"
#include "heng/contracts/users.h"
#include "heng/contracts/streams.h"
#include "heng/contracts/vault.h"
#include "heng/http/server.h"

namespace heng::api {

/// One file of the console. The bytes must live as long as the source.
struct Asset {
  std::string_view bytes;
  std::string media_type;
  std::string etag;                    ///< With quotes.
  bool immutable = false;              ///< The name holds a hash of the bytes: browsers may keep it for ever.
  std::string_view gzip = {};          ///< The same compressed; empty: there is no such form.
};

/// Where the console's files come from. Thread-safe.
class AssetSource {
 public:
  virtual ~AssetSource() = default;
  /// `path` begins with "/": "/index.html", "/assets/app-1a2b.js". Nothing: there is no such file.
  virtual std::optional<Asset> find(std::string_view path) const = 0;
};

struct ApiSettings {
  http::ServerSettings http;
  std::string version = "0.1.0";
  std::size_t document_bytes = 200u * 1024 * 1024;   ///< Largest document taken by POST …/documents.
  std::size_t batch_file_bytes = 100u * 1024 * 1024; ///< Largest file taken by POST /v1/files.
  std::chrono::milliseconds request_time{600'000};   ///< Deadline given to a model request.
  int max_tokens = 4096;                             ///< Most tokens one answer may ask for.
  access::Policy policy{access::builtin_rules()};    ///< Who may do what.
  std::string provider = "Heng";                     ///< The institution in the labels of generated content.
  int embedding_inputs = 2048;                       ///< Most texts in one embeddings request, as OpenAI's limit.
};

/// What the API stands on. All of it must outlive the server; all of it is thread-safe. `ready` adds a check of the
/// application's own to /readyz (an error's message is shown).
struct Services {
  Inference& inference;
  Knowledge& knowledge;
  Asker& asker;
  Chatter& chatter;
  Identity& identity;
  Audit& audit;
  AuditReader& audit_reader;
  Feedback& feedback;
  const AssetSource* assets = nullptr;
  std::function<Result<void>()> ready;
  Reviews* reviews = nullptr;
  Stops* stops = nullptr;
  Labeller* labeller = nullptr;
  const TaskCatalogue* tasks = nullptr;
  Extractor* extractor = nullptr;      ///< Without one, /v1/extract is unavailable.
  const GuardScanner* guard = nullptr;   ///< Null: /v1/guard/scan answers "unsupported".
  Users* users = nullptr;
  /// The monitor's report of the last hours, of the principal's tenant, as JSON.
  std::function<Result<std::string>(const Principal&, int hours)> monitor;
  Streams* streams = nullptr;
  SignIn* sign_in = nullptr;             ///< Null: people sign in with a password or a key only.
  /// What is enforced at this moment.
  std::function<std::vector<PolicyInfo>()> policies;
  Vault* vault = nullptr;              ///< Without one, /v1/vault is unavailable.
  std::function<std::vector<std::string>()> warnings;   ///< Shown in /readyz; nothing of it makes the server unready.
  Batches* batches = nullptr;          ///< Served from start() to drain().
};

/// The HTTP interface of docs/api.md. Lifetime: create → start → drain. Public calls are thread-safe. Embeds vectors of
/// ingested documents on a thread of its own, so that an upload is answered when its words can be found.
class ApiServer {
 public:
  /// Binds and listens, answers nothing yet. Errors: as http::Server::create.
  static Result<std::unique_ptr<ApiServer>> create(const ApiSettings& settings, const Services& services);
  virtual ~ApiServer() = default;

  virtual void start() = 0;
  virtual std::string address() const = 0;   ///< "http://127.0.0.1:8080".
  virtual std::uint16_t port() const = 0;
  virtual Result<void> reload_tls() = 0;
  /// Stops accepting, lets running requests finish until `deadline`, then stops them. Blocks; safe to call twice.
  virtual void drain(std::chrono::milliseconds deadline) = 0;
};

}  // namespace heng::api
