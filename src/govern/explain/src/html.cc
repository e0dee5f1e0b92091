#include <fmt/format.h>

#include "sections.h"

#include "heng/base/html.h"

namespace heng::explain {
namespace {

using text::escape_html;

constexpr const char* style =
    "body{font:16px/1.6 system-ui,'Noto Sans CJK SC',sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;border-bottom:1px solid #ccc;margin-top:2rem}dt{font-weight:600;overflow-wrap:anywhere}"
    "dd{margin:0 0 .8rem 1.5rem;white-space:pre-wrap;overflow-wrap:anywhere}dd small{color:#555;display:block;font-family:ui-monospace,monospace;font-size:.8rem}"
    ".label{border:2px solid #8a4b00;color:#8a4b00;padding:.4rem .8rem;display:inline-block;font-weight:600}"
    "@media print{body{margin:0}}@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}dd small{color:#aaa}.label{border-color:#ffb35c;color:#ffb35c}}";

}  // namespace

std::string html(const std::string& explanation, Wording wording) {
  const Page page = page_of(explanation, wording);
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
      "<meta name=\"AIGC\" content=\"{}\"><title>{}</title><style>{}</style></head><body>\n<p class=\"label\">{}</p>\n<h1>{}</h1>\n",
      wording == Wording::chinese ? "zh" : "en", escape_html(page.label_metadata), escape_html(page.title), style, escape_html(page.label), escape_html(page.title));
  for (const auto& section : page.sections) {
    out += fmt::format("<h2>{}</h2>\n<dl>\n", escape_html(section.title));
    if (section.rows.empty()) out += "<dd>–</dd>\n";
    for (const auto& row : section.rows) {
      out += fmt::format("<dt>{}</dt><dd>{}", escape_html(row.name), escape_html(row.value));
      if (!row.detail.empty()) out += fmt::format("<small>{}</small>", escape_html(row.detail));
      out += "</dd>\n";
    }
    out += "</dl>\n";
  }
  return out + "</body></html>\n";
}

}  // namespace heng::explain
