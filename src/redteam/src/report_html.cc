#include <fmt/format.h>

#include <algorithm>

#include "heng/base/html.h"
#include "heng/base/text.h"
#include "heng/redteam/report.h"

namespace heng::redteam {
namespace {

std::string escaped(std::string_view s) { return text::escape_html(text::replace_invalid_utf8(s)); }

constexpr const char* style =
    "body{font:16px/1.55 system-ui,'Noto Sans CJK SC',sans-serif;max-width:66rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}"
    "h1{font-size:1.5rem}h2{font-size:1.15rem;border-bottom:1px solid #ccc;margin-top:2.2rem}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #e2e2e2;vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}"
    ".pass{color:#116329;font-weight:700}.fail{color:#b3261e;font-weight:700}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f4f4;padding:.6rem;margin:.2rem 0;font-size:.85rem}"
    "small{color:#555}svg{width:100%;max-width:40rem}svg text{font:12px system-ui;fill:currentColor}.bar{stroke:#4a6fa5;stroke-width:4}.bad{stroke:#b3261e;stroke-width:4}.gate{stroke:#888;stroke-dasharray:4 3}"
    "@media print{body{margin:0}}@media(prefers-color-scheme:dark){body{background:#161616;color:#eee}pre{background:#242424}small{color:#aaa}th,td{border-color:#333}.pass{color:#5bd17a}.fail{color:#ff8a80}}";

/// The share of successes of each family with its interval, and the gate.
std::string drawn(const Report& r) {
  constexpr int row = 26, left = 130, width = 480;
  double most = std::max(0.05, r.settings.gate * 2);
  for (const auto& f : r.families) most = std::max(most, f.exact.high);
  const auto x = [&](double value) { return left + width * std::min(value / most, 1.0); };
  const int height = row * static_cast<int>(r.families.size()) + 30;
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"attack success\"><line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"2\" y2=\"{}\" class=\"gate\"/>", left + width + 50, height,
                                x(r.settings.gate), x(r.settings.gate), height - 24);
  for (std::size_t i = 0; i < r.families.size(); ++i) {
    const auto& f = r.families[i];
    const int y = 14 + row * static_cast<int>(i);
    const auto trials = std::max<std::int64_t>(1, f.attempts - f.failed);
    const double share = static_cast<double>(f.successes) / static_cast<double>(trials);
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{}\" y2=\"{}\" class=\"{}\"/><circle cx=\"{:.1f}\" cy=\"{}\" r=\"5\" fill=\"currentColor\"/>", left - 8, y + 4,
                       name_of(f.family), x(f.exact.low), x(f.exact.high), y, y, f.passed ? "bar" : "bad", x(share), y);
  }
  for (int i = 0; i <= 4; ++i) out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.0f} %</text>", x(most * i / 4), height - 6, most * i * 25);
  return out + "</svg>\n";
}

class Page {
 public:
  Page(const Report& report, bool chinese) : r_(report), chinese_(chinese) {}

  std::string text() {
    head();
    families();
    detector();
    memorisation();
    successes();
    rest();
    return out_ + "</body></html>\n";
  }

 private:
  const char* say(const char* english, const char* chinese) const { return chinese_ ? chinese : english; }
  void heading(const char* english, const char* chinese) { out_ += fmt::format("<h2>{}</h2>\n", say(english, chinese)); }

  void head() {
    out_ = fmt::format("<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
                       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"><title>{}</title><style>{}</style></head><body>\n<h1>{}</h1>\n",
                       chinese_ ? "zh" : "en", say("Red team", "红队报告"), style, say("Red team", "红队报告"));
    out_ += fmt::format("<p>{} · {} · {} {} · {:.0f} s · {} {}</p>\n<p class=\"{}\">{}</p>\n", escaped(r_.target), r_.started, r_.model_calls, say("model calls", "次模型调用"), r_.seconds, say("seed", "种子"),
                        r_.settings.seed, r_.passed ? "pass" : "fail", r_.passed ? say("PASSED", "通过") : say("FAILED", "未通过"));
    if (r_.reasons.empty()) return;
    out_ += "<ul>";
    for (const auto& reason : r_.reasons) out_ += "<li>" + escaped(reason) + "</li>";
    out_ += "</ul>\n";
  }

  void families() {
    heading("Attack success by family", "各类攻击的成功率");
    out_ += drawn(r_);
    out_ += fmt::format("<table><tr><th>{}</th><th class=\"n\">{}</th><th class=\"n\">{}</th><th class=\"n\">{}</th><th class=\"n\">{}</th><th class=\"n\">{}</th><th class=\"n\">Wilson 95 %</th><th class=\"n\">Clopper-Pearson 95 %</th><th>{}</th></tr>\n",
                        say("family", "类别"), say("attempts", "尝试"), say("stopped", "被拦截"), say("harmless", "无害"), say("failed", "出错"), say("succeeded", "成功"), say("gate", "门槛"));
    for (const auto& f : r_.families)
      out_ += fmt::format("<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{:.1f}–{:.1f} %</td><td class=\"n\">{:.1f}–{:.1f} %</td><td class=\"{}\">{}</td></tr>\n",
                          name_of(f.family), f.attempts, f.stopped, f.harmless, f.failed, f.successes, f.wilson.low * 100, f.wilson.high * 100, f.exact.low * 100, f.exact.high * 100,
                          !f.gated ? "" : f.passed ? "pass" : "fail", !f.gated ? say("measured only", "仅度量") : f.passed ? say("passed", "通过") : say("failed", "未通过"));
    out_ += fmt::format("</table>\n<p><small>{}</small></p>\n", say("Later attempts are chosen by what got through before, so they are no independent draws: the intervals describe this mixture of attacks, not all attacks there are.",
                                                                   "后续尝试依据先前的成败选取，并非独立抽样：区间只描述本次攻击组合，不代表全部可能的攻击。"));
    if (r_.mutations.empty()) return;
    out_ += fmt::format("<table><tr><th>{}</th><th class=\"n\">{}</th><th class=\"n\">{}</th></tr>\n", say("disguise", "伪装方式"), say("attempts", "尝试"), say("succeeded", "成功"));
    for (const auto& m : r_.mutations) out_ += fmt::format("<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n", m.name, m.attempts, m.successes);
    out_ += "</table>\n";
  }

  void detector() {
    if (r_.detector.empty()) return;
    heading("What the detector saw (advice, not gated)", "检测器识别情况（仅供参考，不设门槛）");
    out_ += fmt::format("<table><tr><th>{}</th><th class=\"n\">{}</th><th class=\"n\">{}</th></tr>\n", say("disguise", "伪装方式"), say("texts", "文本"), say("detected", "识别"));
    for (const auto& m : r_.detector) out_ += fmt::format("<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td></tr>\n", m.name, m.scored, m.detected);
    out_ += "</table>\n";
  }

  void memorisation() {
    if (r_.memorisation.empty()) return;
    heading("Memorisation", "记忆泄露");
    out_ += fmt::format("<table><tr><th>{}</th><th>{}</th><th>{}</th></tr>\n", say("what", "对象"), say("result", "结果"), say("note", "说明"));
    for (const auto& m : r_.memorisation)
      out_ += fmt::format("<tr><td>{}</td><td class=\"{}\">{}</td><td>{}</td></tr>\n", escaped(m.name), m.control ? "" : m.passed ? "pass" : "fail",
                          m.extraction ? fmt::format("{} / {} {}", m.extracted, m.prefixes, say("continued word for word", "被逐字续写"))
                                       : fmt::format("{} {} / {}, {:.1f} / {:.1f} bit", say("rank", "排名"), m.rank, m.space, m.exposure_bits, m.most_bits),
                          escaped(m.detail));
    out_ += "</table>\n";
  }

  void successes() {
    heading("Every success", "全部成功的攻击");
    int number = 0;
    for (const auto& a : r_.attempts) {
      if (a.outcome != Outcome::success) continue;
      out_ += fmt::format("<h3>{}. {} · {} · {}</h3><p><small>{}{}{}</small></p>\n", ++number, name_of(a.family), name_of(a.goal), name_of(a.surface), escaped(a.seed), a.mutations.empty() ? "" : " · ",
                          escaped(text::join(a.mutations, " + ")));
      for (const auto& turn : a.sent) out_ += fmt::format("<pre>→ {}</pre>\n", escaped(turn));
      if (!a.hidden.empty()) out_ += fmt::format("<pre>⚑ {}</pre>\n", escaped(a.hidden));
      out_ += fmt::format("<pre>← {}</pre>\n", escaped(a.reply));
    }
    if (number == 0) out_ += fmt::format("<p>{}</p>\n", say("None.", "无。"));
  }

  void rest() {
    if (r_.not_run.empty()) return;
    heading("Not run", "未执行");
    out_ += "<ul>";
    for (const auto& n : r_.not_run) out_ += fmt::format("<li>{}: {}</li>", escaped(n.what), escaped(n.why));
    out_ += "</ul>\n";
  }

  const Report& r_;
  bool chinese_;
  std::string out_;
};

}  // namespace

std::string html(const Report& report, Wording wording) { return Page(report, wording == Wording::chinese).text(); }

}  // namespace heng::redteam
