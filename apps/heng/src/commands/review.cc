// review: the queue of what people must see first.
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>

#include "../assembly.h"
#include "../caller.h"
#include "../options.h"
#include "../terminal.h"
#include "heng/api/json.h"
#include "heng/base/clock.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"

namespace heng::app {
namespace {

struct ReviewOptions {
  std::string id, reason, sha256, state = "waiting", expected = "reject", question, resource, rule = "planted";
  std::filesystem::path text;
  std::vector<std::string> evidence;
  int limit = 50;
};

const char* state_word(ReviewState state) {
  switch (state) {
    case ReviewState::waiting: return say("waiting", "待复核");
    case ReviewState::approved: return say("approved", "已通过");
    case ReviewState::rejected: return say("rejected", "已驳回");
    case ReviewState::expired: return say("expired", "已过期");
  }
  return "";
}

std::string shortened(const std::string& text, std::size_t most) {
  std::string out;
  std::size_t width = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    const char32_t c = text::next(text, i);
    if (c == U'\n') break;
    if (++width > most) return out + "…";
    out += text.substr(begin, i - begin);
  }
  return out;
}

void print_item(const ReviewItem& item) {
  fmt::print("{} {} · {} · {} {}\n", bold(item.id.value), state_word(item.state), item.rule, say("due", "期限"), iso8601(item.due_ms).substr(0, 16));
  fmt::print("{}\n{}\n", bold(say("Question", "问题")), wrap(item.question, 96, "  "));
  fmt::print("{}\n", bold(say("Evidence", "依据")));
  for (std::size_t i = 0; i < item.evidence.size(); ++i) {
    const auto& e = item.evidence[i];
    fmt::print("  [{}] {} · {} {} · {}\n{}\n", i + 1, e.document, say("page", "页"), e.page, dim(e.sha256.substr(0, 16)), wrap(e.text, 92, "      "));
  }
  fmt::print("{}\n{}\n  {}\n", bold(say("Text to decide on", "待裁定文本")), item.text.empty() ? std::string(say("  (not shown to its author before approval)", "  （通过前不向提问人显示）")) : wrap(item.text, 96, "  "),
             dim("sha256 " + item.sha256));
  if (!item.reason.empty()) fmt::print("{}\n{}\n", bold(say("Why it came here", "送审原因")), wrap(item.reason, 96, "  "));
  for (const auto& vote : item.votes)
    fmt::print("  {} · {} · {} · {}\n", vote.reviewer.value, to_string(vote.decision), iso8601(vote.time_ms).substr(0, 16), vote.reason);
}

int run_list(const Common& common, const ReviewOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = caller(**assembly);
  if (!who.ok()) return report(who.error());
  std::optional<ReviewState> state;
  for (const auto each : {ReviewState::waiting, ReviewState::approved, ReviewState::rejected, ReviewState::expired})
    if (options.state == to_string(each)) state = each;
  auto items = (*assembly)->reviews().list(*who, state, options.limit);
  if (!items.ok()) return report(items.error());
  std::vector<std::vector<std::string>> rows = {{"id", say("state", "状态"), say("due", "期限"), say("votes", "票"), say("rule", "规则"), say("question", "问题")}};
  for (const auto& item : *items) {
    if (common.json) fmt::print("{}\n", api::to_json(item));
    rows.push_back({item.id.value, state_word(item.state), iso8601(item.due_ms).substr(5, 11) + (item.escalated ? " !" : ""),
                    fmt::format("{}/{}", item.approvals, item.approvals_needed), item.rule, shortened(item.question, 40)});
  }
  if (!common.json) fmt::print("{}", table(rows));
  return 0;
}

int run_show(const Common& common, const ReviewOptions& options) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = caller(**assembly);
  if (!who.ok()) return report(who.error());
  auto item = (*assembly)->reviews().get(*who, ReviewId(options.id));
  if (!item.ok()) return report(item.error());
  if (common.json) {
    fmt::print("{}\n", api::to_json(*item));
  } else {
    print_item(*item);
  }
  return 0;
}

Result<std::string> read_text(const std::filesystem::path& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::ifstream in(file, std::ios::binary);
  if (!in) return Error(ErrorCode::not_found, fmt::format("cannot read {}", file.string()), "text");
  return std::string(std::istreambuf_iterator<char>(in), {});
}

int run_decide(const Common& common, const ReviewOptions& options, ReviewDecision decision) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = caller(**assembly);
  if (!who.ok()) return report(who.error());
  ReviewChoice choice;
  choice.decision = decision;
  choice.sha256 = options.sha256;
  choice.reason = options.reason;
  if (decision == ReviewDecision::edit) {
    auto text = read_text(options.text);
    if (!text.ok()) return report(text.error());
    choice.text = *text;
  }
  auto item = (*assembly)->reviews().decide(*who, ReviewId(options.id), choice);
  if (!item.ok()) return report(item.error());
  if (common.json) {
    fmt::print("{}\n", api::to_json(*item));
  } else {
    fmt::print("{} {} ({}/{})\n", item->id.value, state_word(item->state), item->approvals, item->approvals_needed);
  }
  return 0;
}

int run_plant(const Common& common, const ReviewOptions& options) {
  auto text = read_text(options.text);
  if (!text.ok()) return report(text.error());
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = caller(**assembly);
  if (!who.ok()) return report(who.error());
  ReviewDraft draft;
  draft.proposed = *text;
  draft.question = options.question;
  draft.resource = options.resource;
  draft.rule = options.rule;
  for (const auto& evidence : options.evidence) draft.evidence.push_back({"", 0, sha256_hex(evidence), evidence});
  auto item = (*assembly)->reviews().plant(*who, draft, options.expected == "approve" ? ReviewDecision::approve : ReviewDecision::reject);
  if (!item.ok()) return report(item.error());
  fmt::print("{}\n", common.json ? api::to_json(*item) : item->id.value);
  return 0;
}

int run_quality(const Common& common, const ReviewOptions&) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto who = caller(**assembly);
  if (!who.ok()) return report(who.error());
  auto quality = (*assembly)->reviews().quality(*who);
  if (!quality.ok()) return report(quality.error());
  if (common.json) {
    fmt::print("{}\n", api::to_json(*quality));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{say("reviewer", "复核人"), say("decisions", "裁定"), say("approved", "通过"), say("edited", "修改"), say("rejected", "驳回"),
                                                 say("planted errors caught", "植入错误检出"), say("median", "中位用时")}};
  for (const auto& p : quality->reviewers)
    rows.push_back({p.reviewer.value, std::to_string(p.decisions), std::to_string(p.approved), std::to_string(p.edited), std::to_string(p.rejected),
                    p.planted ? fmt::format("{}/{} ({:.0f} % – {:.0f} %)", p.caught, p.planted, 100 * p.catch_low, 100 * p.catch_high) : "–", fmt::format("{:.0f} s", p.median_s)});
  fmt::print("{}", table(rows));
  if (quality->pairs)
    fmt::print("{}: {} · {:.0f} % · {} {}\n", say("judged twice", "双人复核"), quality->pairs, 100 * quality->agreement, say("Cohen's kappa", "Cohen κ"),
               quality->kappa ? fmt::format("{:.2f}", *quality->kappa) : "–");
  fmt::print("{} {} ({} {}) · {} {} · {} {} · {} {}\n", say("waiting", "待复核"), quality->waiting, quality->overdue, say("overdue", "超期"), say("approved", "已通过"), quality->approved,
             say("rejected", "已驳回"), quality->rejected, say("expired", "已过期"), quality->expired);
  return 0;
}

}  // namespace

void add_review(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("review", "what people must see before the user: list, show, approve, edit, reject, measure");
  verb->require_subcommand(1);
  verb->footer("Who decides is the owner of the key in HENG_KEY (roles reviewer, supervisor). A decision names the SHA-256 of the text that was read.");
  auto options = std::make_shared<ReviewOptions>();
  auto add = [&, options](const char* name, const char* help, auto function) {
    auto* sub = verb->add_subcommand(name, help);
    add_common(*sub, common);
    sub->callback([&common, &run, options, function] { run = [&common, options, function] { return function(common, *options); }; });
    return sub;
  };
  auto* list = add("list", "the queue; what is overdue first", run_list);
  list->add_option("--state", options->state, "waiting, approved, rejected, expired or all")->check(CLI::IsMember({"waiting", "approved", "rejected", "expired", "all"}));
  list->add_option("-n", options->limit, "how many")->check(CLI::Range(1, 500));
  add("show", "one item: question, evidence, text, then the reason", run_show)->add_option("ID", options->id, "as `heng review list` shows it")->required();
  const auto decision = [&, options](const char* name, const char* help, ReviewDecision what) {
    auto* sub = add(name, help, [what](const Common& c, const ReviewOptions& o) { return run_decide(c, o, what); });
    sub->add_option("ID", options->id, "as `heng review list` shows it")->required();
    sub->add_option("--sha256", options->sha256, "of the text you have read, as `heng review show` prints it")->required();
    sub->add_option("--reason", options->reason, what == ReviewDecision::approve ? "for the record" : "why; recorded")->required(what != ReviewDecision::approve);
    return sub;
  };
  decision("approve", "let exactly this text go to the user", ReviewDecision::approve);
  decision("reject", "never let it go", ReviewDecision::reject);
  decision("edit", "put another text in its place, which another person must approve", ReviewDecision::edit)
      ->add_option("--text", options->text, "file with the new text; - for standard input")->required();
  auto* plant = add("plant", "put an item with a known answer among the others, to measure reviewers (supervisors)", run_plant);
  plant->add_option("--text", options->text, "file with the text; - for standard input")->required();
  plant->add_option("--question", options->question, "the question it pretends to answer")->required();
  plant->add_option("--evidence", options->evidence, "a passage; may be given several times");
  plant->add_option("--resource", options->resource, "the knowledge base it pretends to be from");
  plant->add_option("--rule", options->rule, "the rule it pretends to have met");
  plant->add_option("--expected", options->expected, "what a good reviewer decides")->check(CLI::IsMember({"approve", "reject"}));
  add("quality", "catch rates on planted errors and agreement of reviewers", run_quality);
}

}  // namespace heng::app
