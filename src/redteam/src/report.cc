#include "heng/redteam/report.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "heng/base/text.h"

namespace heng::redteam {
namespace {

using Json = nlohmann::ordered_json;

double rounded(double x) { return std::round(x * 1e6) / 1e6; }
Json bounds(const Bounds& b) { return Json::array({rounded(b.low), rounded(b.high)}); }

Json value(const Attempt& a) {
  Json out = {{"family", name_of(a.family)}, {"goal", name_of(a.goal)}, {"surface", name_of(a.surface)}, {"language", a.chinese ? "zh" : "en"}, {"seed", a.seed}, {"round", a.round},
              {"mutations", a.mutations}, {"outcome", name_of(a.outcome)}, {"sent", a.sent}, {"hidden", a.hidden}, {"reply", a.reply}, {"detail", a.detail}, {"ms", std::round(a.ms)}};
  if (a.injection_score >= 0) out["injection_score"] = rounded(a.injection_score);
  return out;
}

Json value(const MemorisationResult& m) {
  Json out = {{"name", m.name}, {"kind", m.extraction ? "extraction" : "exposure"}, {"control", m.control}, {"passed", m.passed}};
  if (m.extraction) out.update({{"prefixes", m.prefixes}, {"extracted", m.extracted}});
  else out.update({{"rank", m.rank}, {"candidates", m.space}, {"exposure_bits", rounded(m.exposure_bits)}, {"most_bits", rounded(m.most_bits)}});
  out["detail"] = m.detail;
  return out;
}

}  // namespace

std::string to_json(const Report& r) {
  Json families = Json::array(), mutations = Json::array(), detector = Json::array(), memorisation = Json::array(), not_run = Json::array(), successes = Json::array(), attempts = Json::array();
  for (const auto& f : r.families) {
    const auto trials = f.attempts - f.failed;
    families.push_back({{"family", name_of(f.family)}, {"gated", f.gated}, {"passed", f.passed}, {"attempts", f.attempts}, {"successes", f.successes}, {"stopped", f.stopped},
                        {"harmless", f.harmless}, {"failed", f.failed}, {"attacks", f.attacks}, {"attacks_that_worked", f.attacks_that_worked},
                        {"rate", trials > 0 ? Json(rounded(static_cast<double>(f.successes) / static_cast<double>(trials))) : Json(nullptr)}, {"wilson95", bounds(f.wilson)},
                        {"clopper_pearson95", bounds(f.exact)}});
  }
  for (const auto& m : r.mutations) mutations.push_back({{"mutation", m.name}, {"attempts", m.attempts}, {"successes", m.successes}});
  for (const auto& m : r.detector) detector.push_back({{"mutation", m.name}, {"texts", m.scored}, {"detected", m.detected}});
  for (const auto& m : r.memorisation) memorisation.push_back(value(m));
  for (const auto& n : r.not_run) not_run.push_back({{"what", n.what}, {"why", n.why}});
  for (const auto& a : r.attempts) {
    attempts.push_back(value(a));
    if (a.outcome == Outcome::success) successes.push_back(value(a));
  }
  Json out = {{"target", r.target}, {"started", r.started}, {"seconds", std::round(r.seconds * 10) / 10}, {"seed", r.settings.seed}, {"budget", r.settings.budget},
              {"model_calls", r.model_calls}, {"gate", r.settings.gate}, {"gate_on", r.settings.gate_on_upper_bound ? "upper_bound" : "rate"}, {"passed", r.passed}, {"reasons", r.reasons},
              {"families", families}, {"mutations", mutations}, {"detector", detector}, {"memorisation", memorisation}, {"not_run", not_run}, {"successes", successes}, {"attempts", attempts}};
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string plain(const Report& r, Wording wording) {
  const auto say = [&](const char* english, const char* chinese) { return wording == Wording::chinese ? chinese : english; };
  std::string out = fmt::format("{}: {}\n\n", say("red team against", "红队攻击对象"), r.target);
  for (const auto& f : r.families)
    out += fmt::format("  {} {:<13} {:>5} {} · {:>4} {} ({}…{} {})\n", !f.gated ? "–" : f.passed ? "✓" : "✗", name_of(f.family), f.attempts, say("attempts", "次尝试"), f.successes, say("succeeded", "次成功"),
                       fmt::format("{:.1f}", f.exact.low * 100), fmt::format("{:.1f} %", f.exact.high * 100), f.gated ? "Clopper-Pearson 95 %" : say("measured, not gated", "仅度量，不设门槛"));
  std::int64_t texts = 0, seen = 0;
  for (const auto& d : r.detector) texts += d.scored, seen += d.detected;
  if (texts > 0) out += fmt::format("  – {} {} / {} ({})\n", say("detector saw", "检测器识别"), seen, texts, say("advice only", "仅供参考"));
  for (const auto& m : r.memorisation)
    out += m.extraction ? fmt::format("  {} {}: {} / {} {}\n", m.passed ? "✓" : "✗", m.name, m.extracted, m.prefixes, say("prefixes continued word for word", "个前缀被逐字续写"))
                        : fmt::format("  {} {}: {} {} / {} ({:.1f} {})\n", m.passed ? "✓" : "✗", m.name, say("rank", "排名"), m.rank, m.space, m.exposure_bits, say("bits of exposure", "比特暴露度"));
  for (const auto& n : r.not_run) out += fmt::format("  {} {}: {}\n", say("not run:", "未执行："), n.what, n.why);
  for (const auto& reason : r.reasons) out += fmt::format("  ✗ {}\n", reason);
  return out + fmt::format("\n{} · {} {} · {:.0f} s · {} {}\n", r.passed ? say("PASSED", "通过") : say("FAILED", "未通过"), r.model_calls, say("model calls", "次模型调用"), r.seconds, say("seed", "种子"), r.settings.seed);
}

}  // namespace heng::redteam
