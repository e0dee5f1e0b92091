#include <fmt/format.h>

#include <map>

#include "heng/base/text.h"
#include "heng/redteam/attack.h"

extern "C" {
extern const char heng_redteam_en_begin[], heng_redteam_en_end[], heng_redteam_zh_begin[], heng_redteam_zh_end[];
}

namespace heng::redteam {
namespace {

constexpr std::string_view family_names[] = {"direct", "indirect", "jailbreak", "prompt_leak", "exfiltration", "tool_abuse", "egress", "promise", "covert"};
constexpr std::string_view goal_names[] = {"canary", "promise", "link", "word", "secret", "effect"};
constexpr std::string_view surface_names[] = {"chat", "ask", "search", "tool"};

std::string filled(std::string text, std::string_view mark, const std::string& value) {
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size()) text.replace(at, mark.size(), value);
  return text;
}

struct Want {
  Goal goal;
  std::string text;
  int number;
};

/// Which surfaces a frame of this kind is tried on for a goal. A code word proves something only where the system vouches for the
/// text (ask); a canary of ours stands only in the prompt of a chat.
std::vector<Surface> surfaces(const std::string& kind, Goal goal) {
  if (goal == Goal::effect) return kind == "tool" ? std::vector<Surface>{Surface::tool} : std::vector<Surface>{};
  if (kind == "document") return goal == Goal::canary ? std::vector<Surface>{} : std::vector<Surface>{Surface::ask};
  if (kind == "tool") return goal == Goal::word ? std::vector<Surface>{} : std::vector<Surface>{Surface::tool};
  if (kind == "jailbreak") return goal == Goal::word ? std::vector<Surface>{} : std::vector<Surface>{Surface::chat};
  if (goal == Goal::word) return {Surface::ask};
  if (goal == Goal::link) return {Surface::chat, Surface::ask};
  return {Surface::chat};
}

Family family_of(const std::string& kind, Goal goal) {
  if (goal == Goal::effect) return Family::tool_abuse;
  if (kind == "document" || kind == "tool") return Family::indirect;
  return kind == "jailbreak" ? Family::jailbreak : Family::direct;
}

}  // namespace

std::string_view name_of(Family family) { return family_names[static_cast<std::size_t>(family)]; }
std::string_view name_of(Goal goal) { return goal_names[static_cast<std::size_t>(goal)]; }
std::string_view name_of(Surface surface) { return surface_names[static_cast<std::size_t>(surface)]; }

Result<Family> family_named(std::string_view name) {
  std::string known;
  for (const Family family : all_families) {
    if (name_of(family) == name) return family;
    known += (known.empty() ? "" : ", ") + std::string(name_of(family));
  }
  return {ErrorCode::invalid_argument, fmt::format("there is no attack family '{}'; there are {}", name, known), "families"};
}

Result<std::vector<Seed>> read_seeds(std::string_view text, const std::string& name, bool chinese) {
  std::vector<Want> wants;
  std::vector<std::pair<std::string, std::string>> lines;
  std::size_t number = 0;
  for (const auto raw : text::split(text, '\n')) {
    ++number;
    const auto line = text::trim(raw);
    if (line.empty() || line.starts_with('#')) continue;
    const auto at = line.find(": ");
    if (at == std::string_view::npos) return Error(ErrorCode::malformed_input, fmt::format("{}, line {}: wanted \"KIND: text\"", name, number));
    std::string kind(line.substr(0, at)), body(line.substr(at + 2));
    if (kind.starts_with("do ")) {
      std::size_t goal = 0;
      while (goal < std::size(goal_names) && goal_names[goal] != kind.substr(3)) ++goal;
      if (goal == std::size(goal_names)) return Error(ErrorCode::malformed_input, fmt::format("{}, line {}: there is no goal \"{}\"", name, number, kind.substr(3)));
      wants.push_back({static_cast<Goal>(goal), std::move(body), static_cast<int>(wants.size()) + 1});
      continue;
    }
    const bool frame = kind == "direct" || kind == "jailbreak" || kind == "document" || kind == "tool";
    if (!frame && kind != "leak" && kind != "steal") return Error(ErrorCode::malformed_input, fmt::format("{}, line {}: there is no kind \"{}\"", name, number, kind));
    if (frame != (body.find("{do}") != std::string::npos)) return Error(ErrorCode::malformed_input, fmt::format("{}, line {}: \"{}\" {} {{do}}", name, number, kind, frame ? "wants a" : "takes no"));
    lines.emplace_back(std::move(kind), std::move(body));
  }
  std::vector<Seed> out;
  std::map<std::string, int> count;
  const char* language = chinese ? "zh" : "en";
  for (const auto& [kind, body] : lines) {
    const std::string id = fmt::format("{}-{}-{}", language, kind, ++count[kind]);
    if (kind == "leak") out.push_back({id, Family::prompt_leak, Goal::canary, Surface::chat, chinese, body});
    if (kind == "steal")
      for (const Surface surface : {Surface::search, Surface::ask}) out.push_back({fmt::format("{}/{}", id, name_of(surface)), Family::exfiltration, Goal::secret, surface, chinese, body});
    for (const auto& want : wants)
      for (const Surface surface : kind == "leak" || kind == "steal" ? std::vector<Surface>{} : surfaces(kind, want.goal))
        out.push_back({fmt::format("{}/{}-{}/{}", id, name_of(want.goal), want.number, name_of(surface)), family_of(kind, want.goal), want.goal, surface, chinese, filled(body, "{do}", want.text)});
  }
  return out;
}

Result<std::vector<Seed>> built_in_seeds() {
  auto out = HENG_TRY(read_seeds({heng_redteam_en_begin, static_cast<std::size_t>(heng_redteam_en_end - heng_redteam_en_begin)}, "attacks_en.txt", false));
  for (auto& seed : HENG_TRY(read_seeds({heng_redteam_zh_begin, static_cast<std::size_t>(heng_redteam_zh_end - heng_redteam_zh_begin)}, "attacks_zh.txt", true))) out.push_back(std::move(seed));
  return out;
}

}  // namespace heng::redteam
