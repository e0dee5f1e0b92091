#include <fmt/format.h>

#include <algorithm>

#include "heng/fairness/counterfactual.h"

#include "heng/base/html.h"

namespace heng::fairness {
namespace {

using text::escape_html;

struct Mark {
  std::string name;
  double at = 0, low = 0, high = 0;
  bool failed = false;
};

/// Points with their intervals on one scale, and a dashed line at `guide`.
std::string drawn(const std::vector<Mark>& marks, double from, double to, double guide, const std::string& title) {
  constexpr int row = 26, left = 190, width = 420;
  const auto x = [&](double value) { return left + width * (std::clamp(value, from, to) - from) / (to - from); };
  const int height = row * static_cast<int>(marks.size()) + 34;
  std::string out = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", left + width + 40, height, escape_html(title));
  out += fmt::format("<line x1=\"{0:.1f}\" y1=\"4\" x2=\"{0:.1f}\" y2=\"{1}\" class=\"guide\"/>", x(guide), height - 26);
  for (std::size_t i = 0; i < marks.size(); ++i) {
    const auto& mark = marks[i];
    const int y = 14 + row * static_cast<int>(i);
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text><line x1=\"{:.1f}\" y1=\"{}\" x2=\"{:.1f}\" y2=\"{}\" class=\"{}\"/><circle cx=\"{:.1f}\" cy=\"{}\" r=\"5\" class=\"{}\"/>", left - 8,
                       y + 5, escape_html(mark.name), x(mark.low), y, x(mark.high), y, mark.failed ? "bad" : "good", x(mark.at), y, mark.failed ? "bad" : "good");
  }
  for (int i = 0; i <= 4; ++i) {
    const double value = from + (to - from) * i / 4;
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\" class=\"axis\">{:.2f}</text>", x(value), height - 8, value);
  }
  return out + "</svg>\n";
}

std::string shown(const std::optional<double>& x) { return x ? fmt::format("{:.3f}", *x) : "–"; }

std::string verdict(bool passed) { return passed ? "<p class=\"pass\">PASSED 通过</p>" : "<p class=\"fail\">FAILED 未通过</p>"; }

std::string failures_list(const std::vector<std::string>& failures) {
  std::string out;
  for (const auto& failure : failures) out += "<li>" + escape_html(failure) + "</li>";
  return out.empty() ? "" : "<ul class=\"failures\">" + out + "</ul>\n";
}

std::string group_part(const GroupReport& report) {
  std::string out = fmt::format("<h2>Groups 群体指标 ({} cases)</h2>\n{}", report.cases, verdict(report.passed));
  for (const auto& attribute : report.attributes) {
    out += fmt::format("<h3>{}</h3>\n{}", escape_html(attribute.attribute), failures_list(attribute.failures));
    std::vector<Mark> marks;
    for (const auto& g : attribute.groups) {
      const bool failed = std::any_of(attribute.failures.begin(), attribute.failures.end(), [&](const auto& f) { return f.starts_with(g.group + ": "); });
      marks.push_back({fmt::format("{} (n={})", g.group, g.n), g.rate, g.rate_interval.low, g.rate_interval.high, failed});
    }
    out += drawn(marks, 0, 1, attribute.groups.front().rate, "selection rate by " + attribute.attribute);
    out += "<table><tr><th>group</th><th>n</th><th>rate</th><th>95 %</th><th>ratio</th><th>95 %</th><th>difference, Newcombe 95 %</th><th>Fisher p (Holm)</th><th>TPR</th><th>FPR</th><th>calibration gap</th><th>ECE</th></tr>\n";
    for (const auto& g : attribute.groups)
      out += fmt::format("<tr><td>{}{}</td><td>{}</td><td>{:.3f}</td><td>{:.3f}–{:.3f}</td><td>{:.3f}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", escape_html(g.group),
                         g.reference ? " (reference)" : "", g.n, g.rate, g.rate_interval.low, g.rate_interval.high, g.ratio,
                         g.ratio_interval ? fmt::format("{:.3f}–{:.3f}", g.ratio_interval->low, g.ratio_interval->high) : "–",
                         g.reference ? "–" : fmt::format("{:+.3f} ({:+.3f}…{:+.3f})", g.difference, g.difference_interval.low, g.difference_interval.high),
                         g.reference ? "–" : fmt::format("{:.4f}", g.adjusted_p), shown(g.true_positive_rate), shown(g.false_positive_rate), shown(g.calibration_gap), shown(g.calibration_error));
    out += "</table>\n";
  }
  return out;
}

std::string counterfactual_part(const CounterfactualReport& report) {
  std::string out = fmt::format("<h2>Counterfactuals 反事实检验 ({} texts, limit {:.3f})</h2>\n{}{}", report.texts, report.limit, verdict(report.passed), failures_list(report.failures));
  for (const auto& attribute : report.attributes) {
    out += fmt::format("<h3>{} · {} (baseline 基准: {})</h3>\n", attribute.language, escape_html(attribute.attribute), escape_html(attribute.baseline));
    std::vector<Mark> marks;
    for (const auto& v : attribute.variants) {
      const bool failed = std::any_of(report.failures.begin(), report.failures.end(), [&](const auto& f) { return f.starts_with(attribute.language + " " + attribute.attribute + " \"" + v.value + "\""); });
      marks.push_back({fmt::format("{} (flips {}/{})", v.value, v.flips, v.texts), v.mean_shift, v.interval.low, v.interval.high, failed});
    }
    out += drawn(marks, -0.3, 0.3, 0, "shift of the favourable probability by " + attribute.attribute);
  }
  return out;
}

}  // namespace

std::string html(const GroupReport* groups, const CounterfactualReport* counterfactuals) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
      "<title>Fairness 公平性报告</title><style>body{font:15px/1.5 system-ui,'Noto Sans CJK SC',sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}"
      "svg{max-width:46rem;width:100%;font:12px system-ui,'Noto Sans CJK SC',sans-serif}svg line{stroke-width:2}.good{stroke:#1b6e43;fill:#1b6e43}.bad{stroke:#b3261e;fill:#b3261e}"
      ".guide{stroke:#777;stroke-dasharray:4 3;stroke-width:1}.axis{fill:#555}table{border-collapse:collapse;display:block;overflow-x:auto}td,th{border-bottom:1px solid #ccc;padding:.2rem .5rem;text-align:right}"
      "td:first-child,th:first-child{text-align:left}.pass{color:#1b6e43;font-weight:700}.fail{color:#b3261e;font-weight:700}</style></head><body>\n<h1>Fairness 公平性报告</h1>\n";
  if (groups) out += group_part(*groups);
  if (counterfactuals) out += counterfactual_part(*counterfactuals);
  return out + "</body></html>\n";
}

}  // namespace heng::fairness
