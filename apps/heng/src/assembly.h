#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config.h"
#include "heng/base/result.h"
#include "heng/contracts/answer.h"
#include "heng/contracts/audit.h"
#include "heng/contracts/audit_reader.h"
#include "heng/contracts/feedback.h"
#include "heng/contracts/guard.h"
#include "heng/contracts/identity.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/insight.h"
#include "heng/contracts/knowledge.h"
#include "heng/contracts/policies.h"
#include "heng/contracts/review.h"
#include "heng/contracts/stops.h"
#include "heng/contracts/tools.h"
#include "heng/contracts/users.h"
#include "heng/contracts/vault.h"
#include "heng/store/backup.h"
#include "heng/store/keys.h"

namespace heng::monitor {
class Registry;
}
namespace heng::guard_flow {
class LiveGateway;
}
namespace heng::erasure {
class SubjectErasure;
class Retention;
}
namespace heng::audit {
class Ledger;
class LedgerReader;
}
namespace heng::knowledge_sqlite {
class KnowledgeBase;
}

namespace heng::app {

/// What a verb needs; the rest is not started. Models cost seconds and memory, the ledger a lock.
enum class Models { none, embedding, all };

/// Everything, wired: the only place that knows which room stands behind which port.
///
/// Lifetime: of the verb. Parts are destroyed in reverse order of what they stand on.
class Assembly {
 public:
  /// Errors: those of the parts, with what to do.
  static Result<std::unique_ptr<Assembly>> create(const Config& config, Models models);
  ~Assembly();

  Inference& inference();
  Knowledge& knowledge();
  knowledge_sqlite::KnowledgeBase& knowledge_base();
  const AnswerVerifier& verifier();
  Asker& asker();
  Chatter& chatter();
  Identity& identity();
  const GuardScanner& guard();
  guard_flow::LiveGateway& gateway();
  ToolGate& tool_gate();
  const Calculator& calculator();
  /// Reads the policies of the folder again. Errors: malformed_input (file, line, reason); the old ones stay.
  Result<void> reload_policies();
  /// What the guard enforces at this moment: as it was when it was last read, not as the files are now.
  std::vector<PolicyInfo> policies();
  Audit& audit();
  AuditReader& audit_reader();
  audit::Ledger& ledger();
  audit::LedgerReader& ledger_reader();
  Feedback& feedback();
  Reviews& reviews();
  Stops& stops();
  Users& users();
  monitor::Registry& registry();
  /// The monitor's report of the last hours as JSON; of one tenant, or of all without a name.
  Result<std::string> monitor_report(const TenantId* tenant, int hours);
  erasure::SubjectErasure& subject_erasure();
  erasure::Retention& retention();
  Vault& vault();
  /// What whoever runs the program should know, such as models that run without approval.
  std::vector<std::string> warnings();
  std::vector<store::BackupPart> backup_parts();

  /// The institution's name or code in the labels of generated content.
  const std::string& provider() const;
  /// Whoever runs the command on this machine: tenant "default", role "admin".
  Principal local_principal() const;

 private:
  struct Parts;
  explicit Assembly(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

/// A model file in one of the configured folders.
struct ModelFile {
  std::string name;
  std::filesystem::path path;
  std::int64_t size_bytes = 0;
};
/// By folder, then by name; the first of a name wins.
std::vector<ModelFile> find_models(const Config& config);
/// The default chat model: the configured one, else the largest file of at most 4 GB that is not an embedding model.
std::string default_chat_model(const Config& config, const std::vector<ModelFile>& files);

/// The models alone: nothing of the ledger or the databases is opened, so it works beside a running server.
Result<std::unique_ptr<Inference>> open_models(const Config& config, Models models);

/// The models that a task may need when this stage answers; null where it needs none. Loading takes memory and time.
Result<std::unique_ptr<Inference>> models_for_task(const Config& config, const TaskInfo& info, Tier tier);

/// Configuration and assembly in one step, for verbs.
Result<std::unique_ptr<Assembly>> open_assembly(const std::filesystem::path& folder, Models models);

}  // namespace heng::app
