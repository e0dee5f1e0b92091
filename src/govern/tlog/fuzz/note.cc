#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "heng/tlog/note.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (auto note = heng::tlog::parse_note(bytes); note.ok()) {
    if (auto checkpoint = heng::tlog::Checkpoint::parse(note->text); checkpoint.ok()) {
      // what was parsed prints to the same first three lines
      if (!std::string_view(note->text).starts_with(checkpoint->text())) std::abort();
    }
  }
  if (auto key = heng::tlog::VerifierKey::parse(bytes); key.ok() && key->text() != bytes) std::abort();
  return 0;
}
