#include "assembly.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "heng/audit/ledger.h"
#include "heng/audit/reader.h"
#include "heng/base/log.h"
#include "heng/erasure/subject_erasure.h"
#include "heng/feedback/recorded_feedback.h"
#include "heng/guard/verifier.h"
#include "heng/identity/key_identity.h"
#include "heng/infer/compute_lane.h"
#include "heng/infer/gguf_header.h"
#include "heng/infer/llama/engine.h"
#include "heng/infer/remote/remote.h"
#include "heng/infer/router.h"
#include "heng/knowledge_sqlite/knowledge_base.h"
#include "heng/monitor/monitor.h"
#include "heng/monitor/registry.h"
#include "heng/parse/process_parser.h"
#include "heng/pipeline/asker.h"
#include "heng/pipeline/chatter.h"
#include "heng/quant/calculator.h"
#include "heng/review/migrations.h"
#include "heng/review/review_queue.h"
#include "heng/review/stop_buttons.h"
#include "heng/store/pool.h"
#include "approved_models.h"
#include "batches_part.h"
#include "guarding.h"
#include "heng/guard_flow/tool_gate.h"
#include "heng/users/user_directory.h"
#include "heng/vault/sealed_vault.h"
#include "identities.h"
#include "meaning.h"
#include "policy_list.h"
#include "question_vectors.h"
#include "retaining.h"
#include "streams_part.h"

namespace heng::app {

namespace fs = std::filesystem;

struct Assembly::Parts {
  Config config;
  store::SecretKey master;
  std::unique_ptr<store::Keyring> keyring;
  std::unique_ptr<store::Pool> heng_pool, knowledge_pool, govern_pool;
  std::unique_ptr<audit::Ledger> ledger;
  std::unique_ptr<audit::LedgerReader> ledger_reader;
  std::unique_ptr<Identity> keys, identity;
  std::unique_ptr<Users> users;
  std::unique_ptr<monitor::Registry> registry;
  std::unique_ptr<Feedback> feedback;
  std::unique_ptr<Reviews> reviews;
  std::unique_ptr<Stops> stops;
  std::unique_ptr<vault::SealedVault> vault;
  std::shared_ptr<infer::ComputeLane> lane = infer::ComputeLane::create();
  infer::ModelRouter router;
  std::unique_ptr<ApprovedModels> approved;   // between the router and everybody else, where approval is required
  Inference& models() { return approved ? static_cast<Inference&>(*approved) : router; }
  std::unique_ptr<DocumentParser> parser;
  std::unique_ptr<knowledge_sqlite::KnowledgeBase> knowledge;
  std::unique_ptr<erasure::SubjectErasure> subject_erasure;
  std::unique_ptr<erasure::Retention> retention;
  std::unique_ptr<guard::Verifier> verifier;
  std::unique_ptr<guard_flow::LiveGateway> guard;
  std::unique_ptr<guard_flow::PolicyToolGate> tool_gate;
  std::mutex policies_mutex;
  std::vector<PolicyInfo> policies;
  std::unique_ptr<quant::DecimalCalculator> calculator;
  std::unique_ptr<pipeline::DocumentAsker> asker;
  std::unique_ptr<pipeline::RecordedChatter> chatter;
};

namespace {

constexpr std::int64_t default_model_bytes_most = 4'000'000'000;

bool is_embedding_model(const infer::GgufHeader& header) { return header.architecture.find("bert") != std::string::npos; }

/// Registers the model files and remotes; loads the defaults at once if `preload`.
Result<void> add_models(infer::ModelRouter& router, const Config& config, Models wanted,
                        const std::shared_ptr<infer::ComputeLane>& lane) {
  const auto files = find_models(config);
  const std::string chat = default_chat_model(config, files);
  std::string embedding = config.embedding_model;
  for (const auto& file : files) {
    auto header = infer::read_gguf_header(file.path);
    if (!header.ok()) {
      log::warn("model_skipped", {{"file", file.path.string()}, {"reason", header.error().message}});
      continue;
    }
    if (header->type == "adapter") continue;
    const bool embeds = is_embedding_model(*header);
    if (wanted == Models::embedding && !embeds) continue;
    infer::LlamaSettings settings;
    settings.path = file.path;
    settings.name = file.name;
    settings.threads = config.threads;
    settings.gpu_layers = config.gpu_layers;
    if (!embeds) settings.context_tokens = config.context_tokens;
    settings.lazy = !(config.preload && wanted == Models::all && file.name == chat);
    for (const auto& adapter : config.adapters)
      if (adapter.model == file.name) settings.adapters.push_back({adapter.name, adapter.path, adapter.scale});
    auto engine = HENG_TRY(infer::LlamaEngine::create(std::move(settings), lane));
    HENG_TRY(router.add(std::move(engine)));
    if (embeds && embedding.empty() && file.name == "multilingual-e5-small") embedding = file.name;
  }
  for (const auto& remote : config.remotes) {
    infer::RemoteSettings settings;
    settings.url = remote.url;
    settings.ca_file = remote.ca_file;
    if (const char* key = remote.key_env.empty() ? nullptr : std::getenv(remote.key_env.c_str())) settings.api_key = key;
    settings.models.push_back({.name = remote.name, .remote_name = remote.remote_name,
                               .kind = remote.kind == "embedding" ? ModelInfo::Kind::embedding : ModelInfo::Kind::chat,
                               .context_tokens = remote.context_tokens});
    auto engine = HENG_TRY(infer::RemoteInference::create(std::move(settings)));
    HENG_TRY(router.add(std::move(engine)));
  }
  if (wanted == Models::all && !chat.empty()) HENG_TRY(router.set_default(chat));
  if (!embedding.empty()) HENG_TRY(router.set_default(embedding));
  return {};
}

/// The tables of the database "govern", room after room.
std::vector<store::Migration> govern_migrations() {
  std::vector<store::Migration> out = review::migrations();
  for (const auto& migration : users::migrations()) out.push_back(migration);
  for (const auto& migration : erasure::migrations()) out.push_back(migration);
  for (const auto& migration : monitor::migrations()) out.push_back(migration);
  for (const auto& migration : vault::migrations()) out.push_back(migration);
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.version < b.version; });
  return out;
}

Result<void> check_models(const infer::ModelRouter& router, const Config& config, Models wanted) {
  bool chat = false, embedding = false;
  for (const auto& model : router.models()) (model.kind == ModelInfo::Kind::chat ? chat : embedding) = true;
  std::string folders;
  for (const auto& folder : config.model_folders) folders += (folders.empty() ? "" : ", ") + folder.string();
  if (wanted == Models::all && !chat)
    return Error(ErrorCode::unavailable, fmt::format("no chat model in {}: run scripts/setup, or heng models add FILE.gguf", folders));
  if (wanted != Models::none && !embedding)
    log::warn("no_embedding_model", {{"folders", folders}, {"effect", "search by words only"}});
  return {};
}

}  // namespace

Assembly::Assembly(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Assembly::~Assembly() = default;

Result<std::unique_ptr<Assembly>> Assembly::create(const Config& config, Models models) {
  auto owned = std::unique_ptr<Assembly>(new Assembly(std::make_unique<Parts>()));
  Parts& p = *owned->parts_;
  p.config = config;
  p.master = HENG_TRY(store::load_master_key({.file = config.master_key}));
  std::error_code failed;
  fs::create_directories(config.data, failed);
  if (failed) return Error(ErrorCode::internal, fmt::format("cannot make {}: {}", config.data.string(), failed.message()));
  p.keyring = HENG_TRY(store::Keyring::open(config.keyring(), p.master));

  std::vector<store::Migration> heng_migrations = identity::migrations();
  for (const auto& migration : feedback::migrations()) heng_migrations.push_back(migration);
  std::sort(heng_migrations.begin(), heng_migrations.end(), [](const auto& a, const auto& b) { return a.version < b.version; });
  p.heng_pool = HENG_TRY(store::Pool::open({.database = {.path = config.database("heng"), .key = store::derive_key(p.master, "database/heng")}}, heng_migrations));
  p.knowledge_pool = HENG_TRY(store::Pool::open({.database = {.path = config.database("knowledge"), .key = store::derive_key(p.master, "database/knowledge"),
                                                              .on_open = knowledge_sqlite::prepare_connection}},
                                                knowledge_sqlite::migrations()));
  p.govern_pool = HENG_TRY(store::Pool::open({.database = {.path = config.database("govern"), .key = store::derive_key(p.master, "database/govern")}}, govern_migrations()));
  const auto terms = HENG_TRY(retention_policy(config));
  p.ledger = HENG_TRY(audit::Ledger::create({.folder = config.ledger(), .key_period_ms = erasure::key_period_ms(terms)}, *p.keyring));
  p.ledger_reader = HENG_TRY(audit::LedgerReader::open({.folder = config.ledger()}, *p.keyring));
  p.keys = HENG_TRY(identity::KeyIdentity::create({}, *p.heng_pool, p.master));
  p.users = HENG_TRY(users::UserDirectory::create({}, *p.govern_pool, store::derive_key(p.master, "users/lockout")));
  p.identity = std::make_unique<Identities>(*p.keys, *p.users);
  p.feedback = HENG_TRY(feedback::RecordedFeedback::create(*p.heng_pool, *p.ledger, *p.ledger_reader));

  p.reviews = HENG_TRY(review::ReviewQueue::create(config.review, *p.govern_pool, *p.ledger));
  p.registry = std::make_unique<monitor::Registry>(*p.govern_pool, *p.ledger);
  p.stops = HENG_TRY(review::StopButtons::create(*p.govern_pool, *p.ledger));
  p.vault = HENG_TRY(vault::SealedVault::create(config.vault, *p.govern_pool, *p.keyring, *p.reviews, *p.ledger));

  if (models != Models::none) {
    HENG_TRY(add_models(p.router, config, models, p.lane));
    HENG_TRY(check_models(p.router, config, models));
  }
  if (config.require_approved_models) p.approved = std::make_unique<ApprovedModels>(p.router, *p.registry, HENG_TRY(adapter_hashes(config)));
  parse::ProcessParserSettings parser;
  parser.program = config.parser;
  if (config.allow_missing_sandbox) parser.missing_sandbox = parse::MissingSandbox::allow;
  p.parser = HENG_TRY(parse::ProcessParser::create(parser));
  p.knowledge = HENG_TRY(knowledge_sqlite::KnowledgeBase::create({}, *p.knowledge_pool, p.parser.get(), models == Models::none ? nullptr : &p.router));
  p.subject_erasure = std::make_unique<erasure::SubjectErasure>(erasure::ErasureParts{
      *p.keyring, *p.govern_pool, *p.heng_pool, *p.ledger, [&p](const TenantId& tenant, const std::string& subject) -> Result<int> {
        return HENG_TRY(p.knowledge->erase_subject(tenant, subject)) + HENG_TRY(erase_from_batches(p.config, p.master, tenant, subject));
      },
      [&p](const std::vector<std::uint32_t>& keys) { return p.ledger_reader->records_under(keys); }});
  p.retention = std::make_unique<erasure::Retention>(terms, retention_parts(config, p.master, *p.keyring, *p.govern_pool, *p.heng_pool, *p.ledger, *p.ledger_reader, *p.knowledge));

  guard::VerifierSettings verifier;
  if (models == Models::all) verifier.scorers = meaning_scorers(p.router);
  p.verifier = HENG_TRY(guard::Verifier::create(std::move(verifier)));
  auto guards = HENG_TRY(make_guards(config, p.master, question_vectors(p.router)));
  p.guard = std::make_unique<guard_flow::LiveGateway>(std::move(guards.gateway));
  p.tool_gate = std::make_unique<guard_flow::PolicyToolGate>(std::move(guards.tools), system_clock());
  p.policies = HENG_TRY(policies_in_force(config.folder));
  p.calculator = quant::DecimalCalculator::create();
  p.asker = HENG_TRY(pipeline::DocumentAsker::create({.provider = config.provider}, {p.models(), *p.knowledge, *p.ledger, *p.guard, *p.verifier, *p.calculator, system_clock(), system_random(), p.reviews.get(), p.stops.get(), p.tool_gate.get(), p.vault.get()}));
  p.chatter = HENG_TRY(pipeline::RecordedChatter::create({.provider = config.provider}, {p.models(), *p.ledger, *p.guard, system_clock(), system_random(), p.reviews.get(), p.stops.get(), p.tool_gate.get(), p.vault.get()}));
  return owned;
}

Inference& Assembly::inference() { return parts_->models(); }
Knowledge& Assembly::knowledge() { return *parts_->knowledge; }
knowledge_sqlite::KnowledgeBase& Assembly::knowledge_base() { return *parts_->knowledge; }
const AnswerVerifier& Assembly::verifier() { return *parts_->verifier; }
Asker& Assembly::asker() { return *parts_->asker; }
Chatter& Assembly::chatter() { return *parts_->chatter; }
const GuardScanner& Assembly::guard() { return *parts_->guard; }
guard_flow::LiveGateway& Assembly::gateway() { return *parts_->guard; }
ToolGate& Assembly::tool_gate() { return *parts_->tool_gate; }
const Calculator& Assembly::calculator() { return *parts_->calculator; }
Result<void> Assembly::reload_policies() {
  auto before = HENG_TRY(policies_in_force(parts_->config.folder));
  auto guards = HENG_TRY(make_guards(parts_->config, parts_->master, question_vectors(parts_->router)));
  auto after = HENG_TRY(policies_in_force(parts_->config.folder));
  const auto same = [](const PolicyInfo& a, const PolicyInfo& b) { return a.sha256 == b.sha256; };
  if (!std::equal(before.begin(), before.end(), after.begin(), after.end(), same)) return Error(ErrorCode::conflict, "the policies changed while they were read; the old ones stay, read them again");
  parts_->guard->replace(std::move(guards.gateway));
  parts_->tool_gate->replace(std::move(guards.tools));
  const std::lock_guard lock(parts_->policies_mutex);
  parts_->policies = std::move(after);
  return {};
}
std::vector<PolicyInfo> Assembly::policies() {
  const std::lock_guard lock(parts_->policies_mutex);
  return parts_->policies;
}
Identity& Assembly::identity() { return *parts_->identity; }
Audit& Assembly::audit() { return *parts_->ledger; }
AuditReader& Assembly::audit_reader() { return *parts_->ledger_reader; }
audit::LedgerReader& Assembly::ledger_reader() { return *parts_->ledger_reader; }
audit::Ledger& Assembly::ledger() { return *parts_->ledger; }
Feedback& Assembly::feedback() { return *parts_->feedback; }
Reviews& Assembly::reviews() { return *parts_->reviews; }
Stops& Assembly::stops() { return *parts_->stops; }
erasure::SubjectErasure& Assembly::subject_erasure() { return *parts_->subject_erasure; }
erasure::Retention& Assembly::retention() { return *parts_->retention; }
Vault& Assembly::vault() { return *parts_->vault; }
std::vector<std::string> Assembly::warnings() { return approval_warnings(parts_->router, parts_->approved.get()); }
monitor::Registry& Assembly::registry() { return *parts_->registry; }

Result<std::string> Assembly::monitor_report(const TenantId* tenant, int hours) {
  const std::int64_t now = system_clock().unix_ms() + 1;
  std::optional<ReviewQuality> quality;
  if (tenant) {
    Principal reader;
    reader.tenant = *tenant;
    reader.user = UserId("monitor");
    reader.roles = {"auditor"};
    quality = HENG_TRY(parts_->reviews->quality(reader));
  }
  const auto source = [&](const monitor::Window& window, const std::function<bool(const std::string&)>& line) { return parts_->ledger_reader->between(tenant, window.from_ms, window.to_ms, line); };
  const auto made = HENG_TRY(monitor::report(parts_->config.monitor, source, {now - hours * 3'600'000LL, now}, std::move(quality)));
  return monitor::to_json(made, parts_->config.monitor, warnings());
}

Users& Assembly::users() { return *parts_->users; }

std::vector<store::BackupPart> Assembly::backup_parts() {
  Parts& p = *parts_;
  std::vector<store::BackupPart> parts = {store::database_part("heng.db", p.config.database("heng"), store::derive_key(p.master, "database/heng")),
          store::database_part("knowledge.db", p.config.database("knowledge"), store::derive_key(p.master, "database/knowledge")),
          store::database_part("govern.db", p.config.database("govern"), store::derive_key(p.master, "database/govern")),
          audit::ledger_part("ledger", p.config.ledger()), store::file_part("keyring", p.config.keyring())};
  for (auto& part : streams_backup(p.config, p.master)) parts.push_back(std::move(part));
  for (auto& part : batches_backup(p.config, p.master)) parts.push_back(std::move(part));
  return parts;
}

const std::string& Assembly::provider() const { return parts_->config.provider; }

Principal Assembly::local_principal() const {
  Principal principal;
  principal.tenant = TenantId("default");
  const passwd* entry = getpwuid(getuid());
  principal.user = UserId(entry ? entry->pw_name : "local");
  principal.roles = {"admin", "auditor"};
  principal.purpose = "command_line";
  principal.clearance = DataClass::c3;
  return principal;
}

std::vector<ModelFile> find_models(const Config& config) {
  std::vector<ModelFile> out;
  for (const auto& folder : config.model_folders) {
    std::error_code failed;
    std::vector<ModelFile> here;
    for (const auto& entry : fs::directory_iterator(folder, failed))
      if (entry.path().extension() == ".gguf") here.push_back({model_name(entry.path()), entry.path(), static_cast<std::int64_t>(entry.file_size(failed))});
    std::sort(here.begin(), here.end(), [](const ModelFile& a, const ModelFile& b) { return a.name < b.name; });
    for (auto& file : here)
      if (std::none_of(out.begin(), out.end(), [&](const ModelFile& known) { return known.name == file.name; })) out.push_back(std::move(file));
  }
  return out;
}

std::string default_chat_model(const Config& config, const std::vector<ModelFile>& files) {
  if (!config.chat_model.empty()) return config.chat_model;
  std::string best;
  std::int64_t best_bytes = 0;
  for (const auto& file : files) {
    if (file.size_bytes <= best_bytes || file.size_bytes > default_model_bytes_most) continue;
    auto header = infer::read_gguf_header(file.path);
    if (!header.ok() || header->type == "adapter" || is_embedding_model(*header)) continue;
    best = file.name;
    best_bytes = file.size_bytes;
  }
  return best;
}

Result<std::unique_ptr<Inference>> open_models(const Config& config, Models models) {
  log::configure(log::Level::warn, false);
  auto router = std::make_unique<infer::ModelRouter>();
  HENG_TRY(add_models(*router, config, models, infer::ComputeLane::create()));
  HENG_TRY(check_models(*router, config, models));
  return std::unique_ptr<Inference>(std::move(router));
}

Result<std::unique_ptr<Inference>> models_for_task(const Config& config, const TaskInfo& info, Tier tier) {
  const auto needs = [&](Tier t) {
    const auto& stages = tier == Tier::automatic ? info.automatic : std::vector<Tier>{tier};
    return std::find(stages.begin(), stages.end(), t) != stages.end();
  };
  if (needs(Tier::model)) return open_models(config, Models::all);
  if (needs(Tier::encoder) || needs(Tier::fused)) return open_models(config, Models::embedding);
  return std::unique_ptr<Inference>();
}

Result<std::unique_ptr<Assembly>> open_assembly(const fs::path& folder, Models models) {
  auto config = HENG_TRY(load_config(folder));
  log::configure(log::Level::warn, false);
  return Assembly::create(config, models);
}

}  // namespace heng::app
