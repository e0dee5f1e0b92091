// ask and chat: the main job on the command line.
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>

#include "../assembly.h"
#include "../options.h"
#include "../signals.h"
#include "../terminal.h"
#include "heng/api/json.h"
#include "heng/base/text.h"

namespace heng::app {
namespace {

struct AskOptions {
  std::string question, kb, model, subject;
  int passages = 6;
  bool interactive = false;
};

std::string verdict_line(const AskAnswer& answer) {
  int withheld = 0;
  for (const auto& sentence : answer.sentences) withheld += sentence.status == SentenceStatus::withheld;
  int cited = 0, computed = 0;
  for (const auto& figure : answer.figures) {
    cited += figure.status == FigureStatus::cited;
    computed += figure.status == FigureStatus::computed;
  }
  const char* verdict = "";
  switch (answer.verdict) {
    case AnswerVerdict::released: verdict = say("checked, released in full", "核验通过，全文放行"); break;
    case AnswerVerdict::partial: verdict = say("checked, released in part", "核验后部分放行"); break;
    case AnswerVerdict::extractive: verdict = say("quoted from the documents", "摘录原文作答"); break;
    case AnswerVerdict::review: verdict = say("a reviewer must see it first", "须先经人工复核"); break;
    case AnswerVerdict::abstained: verdict = say("no answer: the documents do not carry one", "未作答：文档中没有依据"); break;
  }
  std::string line = verdict;
  if (cited || computed) line += fmt::format(" · {} {}", cited, say(cited == 1 ? "figure cited" : "figures cited", "个数字有出处"));
  if (computed) line += fmt::format(", {} {}", computed, say("computed", "个由程序计算"));
  if (withheld) line += fmt::format(" · {} {}", withheld, say("sentences withheld", "句未放行"));
  return line;
}

void print_answer(const AskAnswer& answer) {
  fmt::print("\n{}\n", wrap(answer.answer, 96, "  "));
  fmt::print("  {}\n", dim(answer.label.text));
  for (const auto& citation : answer.citations) {
    fmt::print("  [{}] {}", citation.n, bold(citation.document_title));
    if (citation.page) fmt::print("{}{}{}", say(" · p. ", " · 第"), citation.page, say("", "页"));
    if (!citation.heading.empty()) fmt::print(" · {}", citation.heading);
    fmt::print("\n{}", dim(wrap("“" + citation.quote + "”", 92, "      ")));
  }
  double total = 0;
  for (const auto& stage : answer.timings) total += stage.ms;
  fmt::print("\n  {}\n", verdict_line(answer));
  fmt::print("  {}\n", dim(fmt::format("{} {} · {} · {:.1f} s", say("record", "审计记录"), answer.audit_index, answer.model.empty() ? say("no model needed", "未用模型") : answer.model, total / 1000)));
}

Result<AskAnswer> ask(Assembly& assembly, const AskOptions& options, std::vector<Message>& history, bool show_stages) {
  AskRequest request;
  request.principal = assembly.local_principal();
  request.principal.data_subject = options.subject;
  request.kb = KbName(options.kb);
  request.question = options.question;
  request.history = history;
  request.model = options.model;
  request.passages = options.passages;
  const bool terminal = show_stages && isatty(STDERR_FILENO);
  auto sink = [&](const AskEvent& event) {
    if (terminal && event.kind == AskEvent::Kind::stage) std::fprintf(stderr, "\r\x1b[K  … %s", event.stage.c_str());
    return true;
  };
  auto answer = assembly.asker().ask(request, sink, stop_signal());
  if (terminal) std::fputs("\r\x1b[K", stderr);
  if (answer.ok()) {
    history.push_back({.role = "user", .content = options.question});
    history.push_back({.role = "assistant", .content = answer->answer});
  }
  return answer;
}

int run_ask(const Common& common, AskOptions options) {
  auto assembly = open_assembly(common.folder, Models::all);
  if (!assembly.ok()) return report(assembly.error());
  std::vector<Message> history;
  auto once = [&] {
    auto answer = ask(**assembly, options, history, !common.json);
    if (!answer.ok()) return report(answer.error());
    if (common.json) {
      fmt::print("{}\n", api::to_json(*answer));
      std::fflush(stdout);
    } else {
      print_answer(*answer);
    }
    return 0;
  };
  if (!options.interactive) return once();
  int code = options.question.empty() ? 0 : once();
  while (!stop_signal().stop_requested()) {
    std::fputs(common.json ? "" : say("\nask> ", "\n提问> "), stderr);
    std::string line;
    if (!std::getline(std::cin, line)) break;
    options.question = std::string(text::trim(line));
    if (options.question.empty()) continue;
    code = once();
  }
  return code;
}

}  // namespace

void add_ask(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("ask", "ask a knowledge base; the answer is cited, checked and recorded");
  auto options = std::make_shared<AskOptions>();
  verb->add_option("QUESTION", options->question, "in Chinese or English; the answer comes in the same language");
  verb->add_option("--kb", options->kb, "knowledge base")->required();
  verb->add_option("--subject", options->subject, "id of the customer it is about; what is recorded can be erased with it");
  verb->add_option("--model", options->model, "chat model (default: see `heng models list`)");
  verb->add_option("--passages", options->passages, "how many passages are read")->check(CLI::Range(1, 50));
  verb->add_flag("-i,--interactive", options->interactive, "a conversation: one question a line until the end of input");
  add_common(*verb, common);
  verb->callback([&common, &run, options] {
    if (options->question.empty() && !options->interactive) throw CLI::RequiredError("QUESTION");
    run = [&common, options] { return run_ask(common, *options); };
  });
}

}  // namespace heng::app
