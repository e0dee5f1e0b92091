#include <nlohmann/json.hpp>

#include "bench.h"
#include "heng/base/text.h"

namespace heng::bench {

Result<ParsedDocument> BenchParser::parse(const std::string& name, const std::string& bytes) {
  if (!name.ends_with(".json")) {
    if (real_ == nullptr) return Error(ErrorCode::unavailable, "no parser");
    return real_->parse(name, bytes);
  }
  const auto passages = nlohmann::json::parse(bytes, nullptr, false);
  if (!passages.is_array()) return Error(ErrorCode::malformed_input, "not a rulebook");
  ParsedDocument document;
  document.media_type = "application/json";
  document.title = "Rulebook";
  for (const auto& passage : passages) {
    const auto number = passage.at("PassageID").get<std::string>(), body = passage.at("Passage").get<std::string>();
    Block block;
    block.page = static_cast<int>(document.blocks.size()) + 1;  // tells the bench which passage a chunk is of
    if (body.size() < 80 && body.find('\n') == std::string::npos && body.find('.') == std::string::npos && !body.empty()) {
      block.kind = BlockKind::heading;
      block.level = 1 + static_cast<int>(std::count(number.begin(), number.end(), '.'));
      block.text = body;
    } else {
      block.text = number + " " + body;
    }
    document.blocks.push_back(std::move(block));
  }
  document.pages = 0;
  return document;
}

}  // namespace heng::bench
