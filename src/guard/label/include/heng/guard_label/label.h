#pragma once

#include <string>
#include <string_view>

namespace heng::guard_label {

/// Labels of generated text: 人工智能生成合成内容标识办法 (2025-09-01), art. 4 (visible, also on copy and export) and art. 5 (in the file's metadata:
/// attribute, provider's name or code, content id).
struct AiLabel {
  std::string provider;          ///< Name or code of the institution.
  std::string content_id;        ///< Of this content, e.g. the request's id.
};

/// The sentence that a reader sees.
std::string_view visible_label(bool chinese);
/// The text with the visible label behind it; left as it is where it is there already.
std::string with_visible_label(std::string_view text, bool chinese);
/// {"Label":"1","ContentProducer":…,"ProduceID":…,"ReservedCode1":"","ContentPropagator":…,"PropagateID":…,"ReservedCode2":""}
/// (GB 45438-2025, Annex), one line of JSON: the value of the field or meta tag "AIGC".
std::string metadata_value(const AiLabel& label);
/// {"AIGC":{…}}.
std::string metadata_label(const AiLabel& label);
/// Whether a text still carries a visible label: one of visible_label(), or that of a brief.
bool has_visible_label(std::string_view text);

/// What a file lacks.
struct LabelCheck {
  bool visible = false;          ///< The sentence is there.
  bool metadata = false;         ///< "AIGC" with attribute, provider and content id, none of them empty.
  std::string provider, content_id;   ///< Of the first complete metadata.
  bool complete() const { return visible && metadata; }
};
/// Looks at an export: JSON, JSON Lines (each line that holds generated text), HTML or plain text. Never fails; what cannot be read has
/// no label.
LabelCheck check_labels(std::string_view file);

}  // namespace heng::guard_label
