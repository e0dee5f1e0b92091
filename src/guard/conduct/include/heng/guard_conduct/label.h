#pragma once

#include <string>
#include <string_view>

namespace heng::guard_conduct {

/// Labels of generated text: 人工智能生成合成内容标识办法 (2025-09-01), art. 4 (visible, also on copy and export) and art. 5 (in the file's metadata).
struct AiLabel {
  std::string provider;          ///< Name or code of the institution.
  std::string content_id;        ///< Of this content, e.g. the audit index.
};

/// The sentence that a reader sees.
std::string_view visible_label(bool chinese);
/// The text with the visible label behind it; left as it is where it is there already.
std::string with_visible_label(std::string_view text, bool chinese);
/// {"AIGC":{"Label":"1","ContentProducer":…,"ProduceID":…}} (GB 45438-2025, Annex), one line of JSON.
std::string metadata_label(const AiLabel& label);
/// Whether a text still carries a visible label: for the check that an export kept it.
bool has_visible_label(std::string_view text);

}  // namespace heng::guard_conduct
