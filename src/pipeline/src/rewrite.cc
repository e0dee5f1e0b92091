#include "rewrite.h"

#include <algorithm>
#include <array>

#include "flow.h"
#include "heng/contracts/sharing.h"
#include "prompt.h"
#include "words.h"

namespace heng::pipeline {
namespace {

constexpr std::array kDependentZh = {"它", "他", "她", "这", "那", "该", "其", "上述", "前者", "后者", "此", "还有呢", "呢？", "呢?", "换成", "同样", "再"};
constexpr std::array kDependentEn = {" it ", " its ", " they ", " them ", " their ", " that ", " this ", " these ", " those ", " he ", " she ",
                                     " his ", " her ", " same ", " former ", " latter ", " there "};
constexpr std::array kOpeningsEn = {"what about", "how about", "and ", "then ", "why?", "why ", "or ", "but ", "compared", "also "};

std::string last_user_turn(const std::vector<Message>& history) {
  for (auto turn = history.rbegin(); turn != history.rend(); ++turn)
    if (turn->role == "user") return std::string(text::trim(turn->content));
  return {};
}

std::string spaced(std::string_view s) {
  std::string out = " " + text::lower(s) + " ";
  for (char& c : out)
    if (c == '?' || c == ',' || c == '.' || c == '!' || c == '\'') c = ' ';
  return out;
}

}  // namespace

bool depends_on_history(std::string_view question) {
  if (answer_language(question) == "zh") {
    if (text::code_points(question) <= 7) return true;
    return std::any_of(kDependentZh.begin(), kDependentZh.end(), [&](const char* word) { return contains(question, word); });
  }
  const std::string lower = spaced(question);
  if (key_terms(question).size() <= 1) return true;
  for (const char* opening : kOpeningsEn)
    if (text::starts_with_ci(text::trim(question), opening)) return true;
  return std::any_of(kDependentEn.begin(), kDependentEn.end(), [&](const char* word) { return contains(lower, word); });
}

std::string with_other_period(const std::string& before, const std::string& question) {
  const auto old_periods = periods(before);
  const auto new_periods = periods(question);
  if (old_periods.size() != 1 || new_periods.size() != 1 || old_periods == new_periods || !contains(before, old_periods[0])) return {};
  // the follow-up may hold nothing but the period and words that ask
  std::string rest = question;
  for (const char* word : {"那么", "那", "呢", "年", "？", "?", "what", "about", "how", "and", "in", "for", "What", "How", "And", "then", "的"})
    rest = replace_all(rest, word, "");
  rest = replace_all(rest, new_periods[0], "");
  if (!text::trim(rest).empty()) return {};
  return replace_all(before, old_periods[0], new_periods[0]);
}

bool acceptable_rewrite(const std::string& rewritten, const std::string& question, const std::string& conversation) {
  if (rewritten.empty() || text::code_points(rewritten) > 4 * std::max<std::size_t>(40, text::code_points(question))) return false;
  if (answer_language(rewritten) != answer_language(question)) return false;
  const auto known_figures = digit_runs(conversation + " " + question);
  for (const auto& figure : digit_runs(rewritten))
    if (std::find(known_figures.begin(), known_figures.end(), figure) == known_figures.end()) return false;
  const auto known = key_term_set(conversation + " " + question);
  return coverage(key_term_set(rewritten), known) >= 0.7 && coverage(key_term_set(keywords(question)), key_term_set(rewritten)) >= 0.3;
}

namespace {

std::string conversation_text(const Flow& flow) {
  std::string out;
  const std::size_t most_bytes = static_cast<std::size_t>(flow.settings.history_tokens) * 4;
  const auto& history = flow.history;
  for (std::size_t i = history.size() > 4 ? history.size() - 4 : 0; i < history.size(); ++i) {
    std::string said = strip_marks(history[i].content);
    if (said.size() > most_bytes / 4) said.resize(text::complete_utf8_prefix(said.substr(0, most_bytes / 4)));
    out += (history[i].role == "user" ? (flow.chinese() ? "问：" : "Q: ") : (flow.chinese() ? "答：" : "A: ")) + said + "\n";
  }
  return out;
}

Result<std::string> ask_model(Flow& flow, const std::string& conversation) {
  ChatRequest chat;
  chat.model = flow.model();
  chat.tenant = sharing_domain(flow.request.principal);
  chat.priority = flow.request.priority;
  chat.deadline = flow.request.deadline;
  chat.max_tokens = flow.settings.rewrite_tokens;
  chat.stop = {"\n"};
  const bool zh = flow.chinese();
  chat.messages.push_back({.role = "system", .content = zh ? "把最后一个问题改写成不看对话也能看懂的一个完整问题。只写问题，不回答。"
                                                            : "Rewrite the last question so that it can be understood without the conversation. "
                                                              "Write only the question; do not answer it."});
  chat.messages.push_back({.role = "user", .content = defused(conversation) + (zh ? "最后一个问题：" : "Last question: ") + defused(flow.question)});
  chat.assistant_prefix = zh ? "完整问题：" : "Full question:";
  auto result = HENG_TRY(flow.ports.inference.chat(chat, {}, flow.stop));
  flow.add_usage(result.usage);
  std::string out = result.message.content;
  for (std::string_view prefix : {"完整问题：", "Full question:"})
    if (out.starts_with(prefix)) out = out.substr(prefix.size());
  return std::string(text::trim(out));
}

}  // namespace

Result<void> rewrite(Flow& flow) {
  flow.tell_stage("search");
  flow.answer.standalone_question = flow.question;
  const std::string before = last_user_turn(flow.history);
  if (before.empty() || !depends_on_history(flow.question)) return {};
  std::string rewritten = with_other_period(before, flow.question);
  std::string how = "period";
  if (rewritten.empty()) {
    const std::string conversation = conversation_text(flow);
    how = "model";
    auto proposed = ask_model(flow, conversation);
    if (!proposed.ok() && (proposed.error().code == ErrorCode::cancelled || proposed.error().code == ErrorCode::not_found))
      return proposed.error();
    if (proposed.ok() && acceptable_rewrite(*proposed, flow.question, conversation)) rewritten = *proposed;
  }
  if (rewritten.empty()) {
    // two questions side by side still find what one alone would miss
    rewritten = before + " " + flow.question;
    how = "joined";
  }
  flow.record.tools.push_back({"rewrite:" + how, flow.question, rewritten});
  flow.question = rewritten;
  flow.answer.standalone_question = rewritten;
  return {};
}

}  // namespace heng::pipeline
