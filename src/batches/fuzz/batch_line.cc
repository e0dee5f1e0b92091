// Any bytes as a file of requests: errors are answers, a line that can be asked has an id and an object, what is written is one line.
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "lines.h"

namespace {

class Cut final : public heng::batches::PieceSource {
 public:
  explicit Cut(std::string_view bytes) : bytes_(bytes) {}
  heng::Result<std::string> piece(std::int64_t number) override {
    constexpr std::size_t size = 7;
    const auto at = static_cast<std::size_t>(number) * size;
    return std::string(at < bytes_.size() ? bytes_.substr(at, size) : std::string_view{});
  }

 private:
  std::string_view bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)heng::batches::check_kind("a.jsonl", bytes);
  Cut source(bytes);
  heng::batches::LineReader reader(source, 256);
  heng::batches::InputLine line;
  std::int64_t last = 0;
  for (;;) {
    const auto more = reader.next(line);
    if (!more.ok()) std::abort();
    if (!*more) break;
    if (line.number <= last || line.text.size() > 256) std::abort();
    last = line.number;
    const auto parsed = heng::batches::parse_line(line, "/v1/label", 256);
    std::string written;
    if (parsed.error) {
      written = heng::batches::failed_line("r", parsed.custom_id, "malformed_input", parsed.error->message, parsed.error->param, line.number);
    } else {
      if (parsed.custom_id.empty() || !nlohmann::json::parse(parsed.body).is_object()) std::abort();
      written = heng::batches::answered_line("r", parsed.custom_id, 200, "q", parsed.body);
    }
    if (written.find('\n') != written.size() - 1 || !nlohmann::json::parse(written).is_object()) std::abort();
  }
  return 0;
}
