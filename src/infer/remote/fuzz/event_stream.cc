#include <cstdint>
#include <string_view>

#include "event_stream.h"
#include "wire.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  heng::infer::EventStream events(4096);
  heng::infer::ChatCollector collector;
  for (std::size_t at = 0; at < size; at += 7) {
    for (const auto& event : events.push(bytes.substr(at, 7)))
      if (!collector.take(event).ok()) return 0;
  }
  (void)collector.result("fuzz");
  (void)heng::infer::read_embeddings(std::string(bytes), 1);
  (void)heng::infer::error_of(500, std::string(bytes));
  return 0;
}
