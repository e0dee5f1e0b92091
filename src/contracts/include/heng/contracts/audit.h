#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "heng/base/ids.h"
#include "heng/base/result.h"
#include "heng/contracts/inference.h"
#include "heng/contracts/principal.h"

namespace heng {

/// What is known before anything runs.
struct AuditOpen {
  RequestId request;
  std::int64_t time_ms = 0;
  Principal principal;
  std::string action;                 ///< "ask", "chat", "embeddings", "ingest", "refused", "feedback", "key.create" …
  std::string subject;                ///< The question, or the request's JSON.
  std::string resource;               ///< Knowledge base, model or route.
};

struct AuditPassage {
  ChunkId chunk;
  std::string sha256;
  std::string document;
  int page = 0;
  int citation = 0;                   ///< Number n of the answer's mark [n]; 0: read, not cited.
};

struct AuditVerdict {
  std::string rule;                   ///< "grounding", "figures", "limits" …
  std::string version;
  std::string verdict;                ///< "release", "mask", "withhold", "abstain", "deny".
  std::string detail;
};

struct AuditTool {
  std::string name, input, output;
};

/// What is known when it is over.
struct AuditClose {
  std::int64_t time_ms = 0;
  std::string outcome;                ///< "ok", "abstained", "refused", "error:<code>", "cancelled".
  std::vector<AuditPassage> passages;
  std::string prompt_sha256;
  std::string model, model_sha256, lora_sha256;
  Sampling sampling;
  std::vector<std::int32_t> prompt_tokens;
  std::vector<TokenInfo> output_tokens;
  std::vector<AuditTool> tools;
  std::vector<AuditVerdict> verdicts;
  std::string output;
  Usage usage;
  double total_ms = 0;
};

/// Proof that a record is durable: its index in the ledger.
struct AuditTicket {
  std::int64_t index = -1;
  RequestId request;
  TenantId tenant;                    ///< Whose key encrypts the record; filled in by the ledger.
  std::string data_subject;           ///< Likewise: the subject whose own key it is; empty: the tenant's.
  bool conversation = false;          ///< Likewise: under the keys of conversations, which go when their term of retention is over.
};

/// The port to the ledger. Thread-safe. A returned ticket means: on disk, fsynced. Errors: storage_full, corrupt,
/// unavailable; on an error of open() the request must not run, on one of close() the final event must not be sent.
class Audit {
 public:
  virtual ~Audit() = default;
  virtual Result<AuditTicket> open(const AuditOpen&) = 0;
  virtual Result<AuditTicket> close(const AuditTicket& opened, const AuditClose&) = 0;
  /// open and close in one record, for things that are over at once (a refusal, a rating, a key made).
  virtual Result<AuditTicket> note(const AuditOpen&, const AuditClose&) = 0;
  virtual std::int64_t size() const = 0;  ///< Records in the ledger.
};

}  // namespace heng
