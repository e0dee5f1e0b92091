#include "compute.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "flow.h"
#include "heng/base/decimal.h"
#include "heng/contracts/sharing.h"
#include "tables.h"
#include "tool_calls.h"
#include "words.h"

namespace heng::pipeline {
namespace {

/// The best cell, where no other equally good one says something else.
std::optional<Cell> one_cell(const std::vector<Cell>& cells) {
  if (cells.empty()) return std::nullopt;
  for (const auto& other : cells)
    if (other.match > cells[0].match - 0.05 && other.number != cells[0].number) return std::nullopt;
  return cells[0];
}

struct Made {
  std::string expression;
  std::string value;       ///< Plain decimal.
  bool percent = false;
  std::string shown;       ///< "-27.52%", "1,515 million".
};

Result<Made> calculate(Flow& flow, std::string expression, bool percent, const std::string& scale) {
  HENG_TRY(permit_tool(flow, "calculator", "expression", {expression, {.source = "documents", .integrity = Integrity::untrusted}}));
  auto result = flow.ports.calculator.evaluate(expression);
  flow.record.tools.push_back({"calculator", expression, result.ok() ? result->value : result.error().message});
  if (!result.ok()) return result.error();
  auto value = HENG_TRY(Decimal::parse(result->value));
  Made made{std::move(expression), result->value, percent, {}};
  if (percent) {
    made.shown = HENG_TRY(Decimal::multiply(value, Decimal(100))).round(2).to_string() + "%";
  } else {
    made.shown = value.normalized().to_grouped_string();
    if (!scale.empty()) made.shown += (static_cast<unsigned char>(scale[0]) < 0x80 ? " " : "") + scale;
  }
  return made;
}

Figure computed_figure(const Made& made, const std::string& shown, int citation) {
  Figure f;
  f.text = shown;
  f.value = made.value;
  f.unit = made.percent ? "percent" : "";
  f.status = FigureStatus::computed;
  f.citation = citation;
  f.formula = made.expression;
  return f;
}

Figure cited_figure(const Cell& cell) {
  Figure f;
  f.text = cell.text;
  f.value = cell.number;
  f.status = FigureStatus::cited;
  f.citation = cell.passage;
  return f;
}

void prepare(Flow& flow, const Made& made, std::string sentence, const std::string& shown, const std::vector<Cell>& cells) {
  VerifiedSentence s;
  s.text = std::move(sentence);
  s.status = SentenceStatus::computed;
  s.support = 1;
  for (const auto& cell : cells) {
    if (std::find(s.citations.begin(), s.citations.end(), cell.passage) == s.citations.end()) s.citations.push_back(cell.passage);
    s.figures.push_back(cited_figure(cell));
  }
  s.figures.push_back(computed_figure(made, shown, cells.empty() ? 0 : cells[0].passage));
  flow.computed.push_back(s.figures.back());
  flow.prepared.push_back(std::move(s));
}

std::string unsigned_text(const std::string& shown) { return shown.starts_with("-") ? shown.substr(1) : shown; }

/// "$5,506" of a table in millions → "$5,506 million"; a percentage, or what carries its unit already, stays.
std::string with_scale(const std::string& cell, const std::string& scale) {
  if (scale.empty() || cell.find('%') != std::string::npos || cell.find(scale) != std::string::npos) return cell;
  return cell + (static_cast<unsigned char>(scale[0]) < 0x80 ? " " : "") + scale;
}

/// The currency sign that both cells begin with.
std::string shared_sign(const std::string& a, const std::string& b) {
  for (const char* sign : {"$", "¥", "￥", "€", "£"})
    if (a.starts_with(sign) && b.starts_with(sign)) return sign;
  return {};
}

bool compare_periods(Flow& flow, const CalculationAsked& asked) {
  if (asked.periods.size() != 2) return false;
  const auto old_cell = one_cell(find_cells(flow.passages, asked.metric, asked.periods[0], flow.question));
  const auto new_cell = one_cell(find_cells(flow.passages, asked.metric, asked.periods[1], flow.question));
  if (!old_cell || !new_cell || old_cell->label != new_cell->label) return false;
  const bool growth = asked.operation == Operation::growth;
  if (growth && old_cell->number.starts_with("-")) return false;  // a percentage of a loss misleads
  const std::string scale = table_scale(flow.passages[static_cast<std::size_t>(new_cell->passage - 1)]);
  const std::string &a = new_cell->number, &b = old_cell->number;
  auto made = calculate(flow, growth ? fmt::format("({} - {}) / {}", a, b, b) : fmt::format("{} - ({})", a, b), growth, scale);
  if (!made.ok()) return false;
  const bool down = made->shown.starts_with("-");
  const std::string shown = (growth ? "" : shared_sign(old_cell->text, new_cell->text)) + unsigned_text(made->shown);
  const std::string before = with_scale(old_cell->text, scale), after = with_scale(new_cell->text, scale);
  const auto& from = asked.periods[0];
  const auto& to = asked.periods[1];
  const std::string sentence =
      flow.chinese() ? fmt::format("{}从{}的{}变为{}的{}，{}{}。", new_cell->label, from, before, to, after, down ? "减少" : "增加", shown)
                     : fmt::format("{} went from {} in {} to {} in {}, {} of {}.", new_cell->label, before, from, after, to,
                                   down ? "a decrease" : "an increase", shown);
  prepare(flow, *made, sentence, shown, {*old_cell, *new_cell});
  return true;
}

bool take_ratio(Flow& flow, const CalculationAsked& asked) {
  if (asked.periods.size() != 1 || asked.base.empty()) return false;
  const auto part = one_cell(find_cells(flow.passages, asked.metric, asked.periods[0], flow.question));
  const auto whole = one_cell(find_cells(flow.passages, asked.base, asked.periods[0], flow.question));
  if (!part || !whole || part->row == whole->row) return false;
  const auto& of_part = flow.passages[static_cast<std::size_t>(part->passage - 1)];
  const auto& of_whole = flow.passages[static_cast<std::size_t>(whole->passage - 1)];
  if (of_part.document != of_whole.document || table_scale(of_part) != table_scale(of_whole)) return false;
  auto made = calculate(flow, fmt::format("({}) / ({})", part->number, whole->number), true, "");
  if (!made.ok()) return false;
  const std::string sentence =
      flow.chinese() ? fmt::format("{}年{}为{}，{}为{}，前者占后者的{}。", asked.periods[0], part->label, part->text, whole->label, whole->text, made->shown)
                     : fmt::format("In {}, {} was {} and {} was {}, a share of {}.", asked.periods[0], part->label, part->text, whole->label,
                                   whole->text, made->shown);
  prepare(flow, *made, sentence, made->shown, {*part, *whole});
  return true;
}

bool take_interest(Flow& flow, const CalculationAsked& asked) {
  auto made = calculate(flow, asked.expression, false, "");
  if (!made.ok()) return false;
  auto value = Decimal::parse(made->value);
  if (!value.ok()) return false;
  const std::string shown = value->round(2).normalized().to_grouped_string();
  made->shown = shown;
  prepare(flow, *made, flow.chinese() ? fmt::format("按单利计算，利息为{}。", shown) : fmt::format("The simple interest is {}.", shown), shown, {});
  return true;
}

bool by_rule(Flow& flow, const CalculationAsked& asked) {
  switch (asked.operation) {
    case Operation::growth:
    case Operation::difference: return compare_periods(flow, asked);
    case Operation::ratio: return take_ratio(flow, asked);
    case Operation::interest: return take_interest(flow, asked);
    case Operation::sum:
    case Operation::none: return false;
  }
  return false;
}

constexpr const char* kSchema = R"({"type":"object","properties":{"calculation":{"type":"string","enum":["none","growth","difference","ratio","sum"]},)"
                                R"("first":{"type":"string","maxLength":24},"first_name":{"type":"string","maxLength":60},)"
                                R"("second":{"type":"string","maxLength":24},"second_name":{"type":"string","maxLength":60}},)"
                                R"("required":["calculation","first","first_name","second","second_name"],"additionalProperties":false})";

/// The passage and line that hold the figure as written and fit its name, or none: the model may not bring figures along.
std::optional<Cell> locate(const Flow& flow, const std::string& figure, const std::string& name) {
  const std::string number = plain_number(figure);
  if (number.empty()) return std::nullopt;
  const auto wanted = key_term_set(name);
  std::optional<Cell> best;
  for (std::size_t p = 0; p < flow.passages.size(); ++p)
    for (auto line : text::split(flow.passages[p].text, '\n')) {
      const auto runs = digit_runs(line);
      const std::string bare = number.starts_with("-") ? number.substr(1) : number;
      if (std::find(runs.begin(), runs.end(), bare) == runs.end()) continue;
      const double match = coverage(wanted, key_term_set(line));
      if (match >= 0.5 && (!best || match > best->match)) best = Cell{static_cast<int>(p) + 1, name, "", figure, number, std::string(line), match};
    }
  return best;
}

std::string expression_for(const std::string& calculation, const std::string& a, const std::string& b) {
  if (calculation == "growth") return fmt::format("(({}) - ({})) / ({})", a, b, b);
  if (calculation == "difference") return fmt::format("({}) - ({})", a, b);
  if (calculation == "ratio") return fmt::format("({}) / ({})", a, b);
  if (calculation == "sum") return fmt::format("({}) + ({})", a, b);
  return {};
}

Result<void> by_model(Flow& flow) {
  ChatRequest chat;
  chat.model = flow.model();
  chat.tenant = sharing_domain(flow.request.principal);
  chat.priority = flow.request.priority;
  chat.deadline = flow.request.deadline;
  chat.messages = flow.prompt;
  chat.messages.back().content +=
      flow.chinese() ? "任务：回答这个问题需要对资料中的两个数字做计算吗？需要的话选出计算方式，并照抄这两个数字（first为新的或分子，second为旧的或分母）及其名称；不需要就选none。"
                     : "Task: does answering need a calculation over two figures of the material? If so, choose it and copy both figures exactly "
                       "(first: the newer or the part; second: the older or the whole) with their names; otherwise choose none.";
  chat.json_schema = kSchema;
  chat.max_tokens = 120;
  auto result = HENG_TRY(flow.ports.inference.chat(chat, {}, flow.stop));
  flow.add_usage(result.usage);
  const auto json = nlohmann::json::parse(result.message.content, nullptr, false);
  flow.record.tools.push_back({"propose_calculation", flow.question, result.message.content});
  if (!json.is_object()) return {};
  const std::string calculation = json.value("calculation", "none");
  const auto first = locate(flow, json.value("first", ""), json.value("first_name", ""));
  const auto second = locate(flow, json.value("second", ""), json.value("second_name", ""));
  if (!first || !second || (first->row == second->row && first->number == second->number)) return {};
  const bool percent = calculation == "growth" || calculation == "ratio";
  const std::string expression = expression_for(calculation, first->number, second->number);
  if (expression.empty()) return {};
  auto made = calculate(flow, expression, percent, table_scale(flow.passages[static_cast<std::size_t>(first->passage - 1)]));
  if (!made.ok()) return {};
  const std::string sentence = flow.chinese()
                                   ? fmt::format("由{}（{}）和{}（{}）计算得{}。", first->label, first->text, second->label, second->text, made->shown)
                                   : fmt::format("Calculated from {} ({}) and {} ({}): {}.", first->label, first->text, second->label, second->text, made->shown);
  prepare(flow, *made, sentence, made->shown, {*first, *second});
  return {};
}

bool asks_for_reasons(const std::string& question) {
  const std::string lower = text::lower(question);
  for (const char* word : {"why", "reason", "explain", "because", "为什么", "原因", "解释", "说明"})
    if (contains(lower, word)) return true;
  return false;
}

bool asks_several_things(const std::string& question) {
  const std::string lower = text::lower(question);
  for (const char* word : {" and ", "以及", "分别", "和", "哪些", "compare", "list"})
    if (contains(lower, word)) return true;
  return false;
}

/// The column's name and the cell as a sentence needs them: a unit that stands in the header goes behind the figure.
std::pair<std::string, std::string> with_unit(const Cell& cell) {
  std::string column = cell.column;
  for (const char* mark : {"（%）", "（％）", "(%)", "(％)"}) {
    if (!contains(column, mark) || plain_number(cell.text).empty()) continue;
    column = std::string(text::trim(replace_all(column, mark, "")));
    return {column, cell.text + "%"};
  }
  return {column, cell.text};
}

/// A question that names one cell of a table is answered by that cell, if the verifier agrees.
void look_up(Flow& flow) {
  const auto cell = named_cell(flow.passages, flow.question);
  if (!cell) return;
  const std::string scale = table_scale(flow.passages[static_cast<std::size_t>(cell->passage - 1)]);
  const bool named_unit = scale.empty() || contains(cell->column, "%") || contains(cell->text, "%") || contains(text::lower(cell->label), "per share");
  const std::string unit = named_unit ? "" : flow.chinese() ? fmt::format("（单位：{}）", scale) : fmt::format(" (in {}s)", scale);
  const auto [column, written] = with_unit(*cell);
  const std::string sentence = flow.chinese() ? fmt::format("{}，{}：{}{}。", cell->label, column, written, unit)
                                              : fmt::format("{}, {}: {}{}.", cell->label, column, written, unit);
  auto verified = flow.ports.verifier.verify({flow.question, fmt::format("{} [{}]", sentence, cell->passage), flow.passages, {}});
  flow.record.tools.push_back({"look_up", cell->label + " | " + cell->column, cell->text});
  if (verified.status == SentenceStatus::withheld) return;
  flow.prepared.push_back(std::move(verified));
  flow.needs_model = asks_for_reasons(flow.question);
}

}  // namespace

Result<void> compute(Flow& flow) {
  if (flow.nothing_found || !flow.settings.compute) return {};
  const CalculationAsked asked = recognise(flow.question);
  if (asked.operation == Operation::none) {
    if (!asks_several_things(flow.question)) look_up(flow);
    return {};
  }
  if (by_rule(flow, asked)) {
    flow.needs_model = asks_for_reasons(flow.question);
    return {};
  }
  auto proposed = by_model(flow);
  // a proposal is a help, not a need: without it the answer goes on, uncomputed
  if (!proposed.ok() && (proposed.error().code == ErrorCode::cancelled || proposed.error().code == ErrorCode::not_found)) return proposed;
  if (!flow.prepared.empty()) flow.needs_model = asks_for_reasons(flow.question);
  return {};
}

}  // namespace heng::pipeline
