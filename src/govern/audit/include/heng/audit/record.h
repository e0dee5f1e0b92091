#pragma once

#include <string>
#include <string_view>

#include "heng/base/result.h"
#include "heng/contracts/audit.h"

namespace heng::audit {

/// The plaintext of a record: one JSON object, keys sorted, UTF-8 (invalid bytes replaced by U+FFFD).
/// Tokens are arrays of numbers; logprobs that are not finite are null.
std::string encode_open(const AuditOpen& opened);
std::string encode_close(const AuditClose& closed);
/// {"close":…,"open":…}.
std::string encode_note(const AuditOpen& opened, const AuditClose& closed);

/// What a replay needs of a closed record.
struct Replayable {
  std::string model, model_sha256, lora_sha256;
  std::vector<std::int32_t> prompt_tokens;
  std::vector<std::int32_t> output_tokens;
  std::vector<double> logprobs;
  Sampling sampling;
};
/// Of the plaintext of a close or note record. Errors: corrupt, unsupported (no tokens were recorded).
Result<Replayable> decode_replayable(std::string_view json);

}  // namespace heng::audit
