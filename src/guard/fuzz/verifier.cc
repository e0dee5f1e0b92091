#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "heng/guard/verifier.h"

/// The bytes up to the first 0 are a sentence, the rest a passage: whatever they are, there is a verdict with a reason, and
/// what is released is cited.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto verifier = std::move(*heng::guard::Verifier::create());
  const std::string all(reinterpret_cast<const char*>(data), size);
  const auto cut = all.find('\0');
  heng::VerifyInput input;
  input.sentence = all.substr(0, cut);
  input.question = input.sentence.substr(0, 64);
  heng::Passage passage;
  if (cut != std::string::npos) passage.text = all.substr(cut + 1);
  input.passages = {passage};
  const auto result = verifier->verify(input);
  const bool released = result.status != heng::SentenceStatus::withheld;
  if (released ? result.citations.empty() : result.reason.empty()) std::abort();
  verifier->extract(input.sentence, input.passages, 3);
  const double strength = verifier->evidence(input.sentence, input.passages).strength;
  if (!(strength >= 0 && strength <= 1)) std::abort();
  return 0;
}
