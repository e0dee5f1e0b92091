#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heng/audit/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto replay = heng::audit::decode_replayable({reinterpret_cast<const char*>(data), size});
  if (replay.ok() && replay->logprobs.size() != replay->output_tokens.size()) std::abort();
  return 0;
}
