#include <fmt/format.h>

#include <algorithm>

#include "brief.h"
#include "heng/base/html.h"
#include "heng/base/text.h"
#include "heng/guard_label/label.h"

namespace heng::streams {
namespace {

constexpr const char* style =
    "body{font:15px/1.6 system-ui,'Noto Sans CJK SC','Microsoft YaHei',sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1d21;background:#fff}"
    "h1{font-size:1.5rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid #d5d9de}"
    ".label{background:#fff6dd;border:1px solid #e4c46a;padding:.4rem .7rem;font-size:.85rem}.dim{color:#5b6470}"
    "table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #e6e9ec;vertical-align:top}td.r,th.r{text-align:right}"
    "li{margin:.35rem 0}a{color:#0b57a4;text-decoration:none}a:hover{text-decoration:underline}:target{background:#fff6dd}svg{max-width:100%;height:auto}"
    "@media(prefers-color-scheme:dark){body{background:#14171a;color:#e3e6e9}h2,th,td{border-color:#333a41}.label{background:#3a3112;border-color:#7a6420}a{color:#7db7f0}.dim{color:#9aa4af}:target{background:#3a3112}}";

using text::escape_html;

std::string cite(int n) { return fmt::format("<a href=\"#i{}\">[{}]</a>", n, n); }

/// The numbers as links to their first and last item of each range.
std::string cites(const std::vector<int>& numbers) {
  constexpr std::size_t most_ranges = 40;
  std::string out;
  std::size_t parts = 0;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t end = i;
    while (end + 1 < numbers.size() && numbers[end + 1] == numbers[end] + 1) ++end;
    if (parts++ == most_ranges) return out + " …";
    out += fmt::format("{}<a href=\"#i{}\">{}</a>", out.empty() ? "" : ", ", numbers[i], numbers[i]);
    if (end > i) out += fmt::format("{}<a href=\"#i{}\">{}</a>", end == i + 1 ? ", " : "–", numbers[end], numbers[end]);
    i = end + 1;
  }
  return out;
}

/// Bars above the line: positive and neutral; below: negative.
std::string chart(const Brief& brief) {
  constexpr double width = 900, height = 220, left = 36, bottom = 26, top = 8;
  std::size_t up = 1, down = 1;
  for (const auto& p : brief.tone) {
    up = std::max(up, p.positive.size() + p.neutral.size());
    down = std::max(down, p.negative.size());
  }
  const double unit = (height - bottom - top) / static_cast<double>(up + down), zero = top + unit * static_cast<double>(up);
  const double step = (width - left) / static_cast<double>(std::max<std::size_t>(1, brief.tone.size())), bar = std::max(1.0, step * 0.8);
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" xmlns=\"http://www.w3.org/2000/svg\" font-size=\"11\" fill=\"currentColor\">", width, height, brief.say("情绪走势", "Tone over time"));
  for (std::size_t i = 0; i < brief.tone.size(); ++i) {
    const auto& p = brief.tone[i];
    const double x = left + step * static_cast<double>(i);
    const auto rect = [&](double y, std::size_t n, const char* colour, const char* name) {
      if (n > 0) out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"><title>{} {} {}</title></rect>", x, y, bar, unit * static_cast<double>(n), colour, local_time(brief, p.from_ms), name, n);
    };
    const double positive = unit * static_cast<double>(p.positive.size()), neutral = unit * static_cast<double>(p.neutral.size());
    rect(zero - positive, p.positive.size(), "#2f6fb3", brief.say("正面", "positive"));
    rect(zero - positive - neutral, p.neutral.size(), "#b4bcc5", brief.say("中性", "neutral"));
    rect(zero, p.negative.size(), "#c9622a", brief.say("负面", "negative"));
    const std::size_t every = std::max<std::size_t>(1, brief.tone.size() / 8);
    if (i % every == 0) out += fmt::format("<text x=\"{:.1f}\" y=\"{}\">{}</text>", x, height - 8, local_time(brief, p.from_ms));
  }
  out += fmt::format("<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"currentColor\" stroke-width=\"1\"/><text x=\"0\" y=\"{:.1f}\">{}</text><text x=\"0\" y=\"{:.1f}\">{}</text><text x=\"0\" y=\"{:.1f}\">0</text></svg>",
                     left, width, zero, zero, top + 10, up, height - bottom, down, zero + 4);
  return out + fmt::format("<p class=\"dim\"><span style=\"color:#2f6fb3\">■</span> {} <span style=\"color:#b4bcc5\">■</span> {} <span style=\"color:#c9622a\">■</span> {}</p>", brief.say("正面", "positive"), brief.say("中性", "neutral"), brief.say("负面（向下）", "negative (downwards)"));
}

void add_counts(const Brief& brief, std::string& out) {
  out += fmt::format("<h2>{}</h2><table><tr><th>{}</th><th class=\"r\">{}</th><th>{}</th></tr>", brief.say("计数", "Counts"), brief.say("项目", "What"), brief.say("数量", "Number"), brief.say("所计条目", "Items counted"));
  for (const auto& c : brief.counts) out += fmt::format("<tr><td>{}</td><td class=\"r\">{}</td><td>{}</td></tr>", escape_html(c.name), c.value, cites(c.items));
  out += "</table>";
}

void add_events(const Brief& brief, std::string& out) {
  if (brief.events.empty()) return;
  out += fmt::format("<h2>{}</h2><table><tr><th>{}</th><th>{}</th><th>{}</th><th>{}</th><th class=\"r\">{}</th><th></th></tr>", brief.say("事件", "Events"), brief.say("时间", "Time"), brief.say("类型", "Type"),
                     brief.say("触发词", "Trigger"), brief.say("要素", "Arguments"), brief.say("把握", "Confidence"));
  for (const auto& e : brief.events)
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"r\">{:.2f}</td><td>{}</td></tr>", local_time(brief, e.at_ms), escape_html(e.type), escape_html(e.trigger), escape_html(e.arguments), e.confidence, cite(e.n));
  out += "</table>";
}

void add_comparison(const Brief& brief, std::string& out) {
  if (brief.comparison.empty()) return;
  out += fmt::format("<h2>{}</h2><table><tr><th>{}</th><th class=\"r\">{}</th><th class=\"r\">{}</th><th class=\"r\">{}</th><th class=\"r\">{}</th><th class=\"r\">{}</th><th>{}</th><th>{}</th></tr>", brief.say("同业对比", "Comparison"),
                     brief.say("公司", "Company"), brief.say("条目", "Items"), brief.say("正面", "Positive"), brief.say("中性", "Neutral"), brief.say("负面", "Negative"), brief.say("事件", "Events"), brief.say("代表语句", "Sentence"),
                     brief.say("所计条目", "Items counted"));
  for (const auto& c : brief.comparison)
    out += fmt::format("<tr><td>{} <span class=\"dim\">{}</span></td><td class=\"r\">{}</td><td class=\"r\">{}</td><td class=\"r\">{}</td><td class=\"r\">{}</td><td class=\"r\">{}</td><td>{}</td><td>{}</td></tr>", escape_html(c.name), escape_html(c.code),
                       c.mentions.size(), c.positive.size(), c.neutral.size(), c.negative.size(), c.events, c.cites ? fmt::format("“{}” {}", escape_html(c.sentence), cite(c.cites)) : "–", cites(c.mentions));
  out += "</table>";
}

void add_items(const Brief& brief, std::string& out) {
  out += fmt::format("<h2>{}</h2><table>", brief.say("条目", "Items"));
  constexpr std::size_t longest = 400;
  for (const auto& b : brief.items) {
    std::string labels;
    for (const auto& l : b.item.labels) labels += fmt::format("{}{} {:.2f}", labels.empty() ? "" : "<br>", escape_html(l.label), l.confidence);
    const bool cut = text::code_points(b.item.text) > longest;
    const std::string shown = cut ? b.item.text.substr(0, text::byte_offset(b.item.text, longest)) + "…" : b.item.text;
    const auto time = [&](const char* name, std::int64_t ms) { return ms > 0 ? fmt::format("{} {}<br>", name, local_time(brief, ms, true)) : std::string(); };
    out += fmt::format("<tr id=\"i{}\"><td class=\"r\">[{}]</td><td class=\"dim\">{}{}{}{}#{} {}{}<br>{}</td><td>{}</td><td>{}{}</td></tr>", b.n, b.n, time(brief.say("发生", "event"), b.item.event_ms), time(brief.say("发布", "published"), b.item.published_ms),
                       time(brief.say("收到", "ingested"), b.item.ingest_ms), escape_html(b.item.stream), b.item.number, escape_html(b.item.source), b.item.id.empty() ? "" : " " + escape_html(b.item.id), b.item.sha256.substr(0, 12), labels, escape_html(shown),
                       b.repeats() > 1 ? fmt::format(" <span class=\"dim\">({} {})</span>", brief.say("重复", "repeated"), b.repeats() - 1) : "");
  }
  out += "</table>";
}

}  // namespace

std::string brief_html(const Brief& brief) {
  const std::string title = brief.request.company.empty() ? brief.say("市场简报", "Market brief") : escape_html(brief.company.label) + brief.say(" 简报", " brief");
  std::string out = fmt::format("<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
                                "<meta name=\"AIGC\" content=\"{}\"><title>{}</title><style>{}</style></head><body>\n<p class=\"label\">{}</p><h1>{}</h1><p class=\"dim\">{} – {}{}{}</p>",
                                brief.request.language == "en" ? "en" : "zh", escape_html(guard_label::metadata_label({brief.provider, brief.content_id})), title, style,
                                brief.say("本简报由程序自动生成：语句均摘自所引条目，数字由程序清点，未使用生成模型；标签来自自动分类，可能有误。",
                                          "Generated by a program: every sentence is quoted from the item it cites, every number is counted, no generative model was used; labels come from automatic classification and may be wrong."),
                                title, local_time(brief, brief.request.from_ms, true), local_time(brief, brief.request.to_ms, true), brief.request.stream.empty() ? "" : " · " + escape_html(brief.request.stream),
                                brief.cut ? fmt::format(" · {} {}", brief.say("条目过多，只计最新", "too many items, only the newest"), most_brief_items) : "");
  out += fmt::format("<h2>{}</h2>", brief.say("要闻", "What happened"));
  if (brief.headlines.empty()) out += fmt::format("<p>{}</p>", brief.say("窗口内没有条目。", "No items in the window."));
  else out += "<ol>";
  for (const auto& h : brief.headlines) out += fmt::format("<li>“{}” {} <span class=\"dim\">{} {} · {}</span></li>", escape_html(h.sentence), cite(h.cites), h.reports, brief.say("次报道", h.reports == 1 ? "report" : "reports"), cites(h.items));
  if (!brief.headlines.empty()) out += "</ol>";
  out += fmt::format("<h2>{}</h2>{}", brief.say("情绪走势", "Tone over time"), chart(brief));
  add_counts(brief, out);
  add_events(brief, out);
  add_comparison(brief, out);
  add_items(brief, out);
  return out + "</body></html>\n";
}

}  // namespace heng::streams
