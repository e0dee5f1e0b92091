#include "heng/guard_conduct/suitability.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "clauses.h"
#include "heng/base/text.h"

extern "C" {
extern const char heng_suitability_begin[], heng_suitability_end[];
}

namespace heng::guard_conduct {
namespace {

using guard_policy::Reader;
using guard_policy::Value;

constexpr std::string_view client_names[] = {"C1-min", "C1", "C2", "C3", "C4", "C5"};
constexpr std::string_view product_names[] = {"R1", "R2", "R3", "R4", "R5"};

bool alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

struct Mention {
  std::size_t begin, end;
  int level;
};

void find_names(std::string_view text, const std::vector<std::string>& names, int level, std::vector<Mention>& out) {
  for (const auto& name : names) {
    const std::string folded = fold(name).text;
    for (std::size_t at = text.find(folded); at != std::string_view::npos; at = text.find(folded, at + 1)) {
      const bool latin = alnum(folded.front());
      if (latin && ((at > 0 && alnum(text[at - 1])) || (at + folded.size() < text.size() && alnum(text[at + folded.size()])))) continue;
      out.push_back({at, at + folded.size(), level});
    }
  }
}

/// Longer mentions win over those inside them ("中低风险" over "低风险").
std::vector<Mention> outermost(std::vector<Mention> all) {
  std::vector<Mention> out;
  for (const auto& m : all) {
    const bool inside = std::any_of(all.begin(), all.end(), [&](const Mention& o) { return o.begin <= m.begin && m.end <= o.end && o.end - o.begin > m.end - m.begin; });
    if (!inside) out.push_back(m);
  }
  std::sort(out.begin(), out.end(), [](const Mention& a, const Mention& b) { return a.begin < b.begin; });
  return out;
}

/// A word of recommending in the sentence, not denied.
bool recommends(std::string_view text, const Clause& sentence) {
  for (const std::string_view word : {"推荐", "建议", "适合", "可以买", "可以购买", "可购买", "不妨", "值得", "首选", "配置", "匹配", "买入", "投资", "申购", "recommend", "suggest", "suits you", "suitable", "suit ", "right for", "fits", "advise", "should buy",
                                      "should invest", "should consider", "can buy", "ideal", "good choice", "perfect for", "appropriate"}) {
    for (std::size_t at = text.find(word, sentence.begin); at != std::string_view::npos && at < sentence.end; at = text.find(word, at + 1))
      if (!is_not_promised(text, at, std::min(at + word.size(), sentence.end))) return true;
  }
  return false;
}

}  // namespace

std::string_view to_string(ClientLevel level) { return client_names[static_cast<std::size_t>(level)]; }
std::string_view to_string(ProductLevel level) { return product_names[static_cast<std::size_t>(level)]; }

std::optional<ClientLevel> client_level(std::string_view text) {
  for (std::size_t i = 0; i < std::size(client_names); ++i)
    if (text::equals_ci(client_names[i], text)) return static_cast<ClientLevel>(i);
  return std::nullopt;
}
std::optional<ProductLevel> product_level(std::string_view text) {
  for (std::size_t i = 0; i < std::size(product_names); ++i)
    if (text::equals_ci(product_names[i], text)) return static_cast<ProductLevel>(i);
  return std::nullopt;
}

std::string_view default_suitability_text() { return {heng_suitability_begin, static_cast<std::size_t>(heng_suitability_end - heng_suitability_begin)}; }

Result<std::unique_ptr<Suitability>> Suitability::create(std::string_view text, const std::string& name) {
  const auto file = HENG_TRY(guard_policy::parse(text, name));
  Reader reader = guard_policy::body(file);
  if (file.header.kind != "suitability") return reader.fail(reader.line_of("kind"), fmt::format("kind is \"{}\", wanted \"suitability\"", file.header.kind));
  std::unique_ptr<Suitability> out(new Suitability);
  out->header_ = file.header;
  std::array<int, 6> client_line{};
  std::array<int, 5> product_line{};
  for (const Value* table : HENG_TRY(reader.tables_or_none("client"))) {
    Reader one(*table, name, "[[client]]");
    const auto level = client_level(HENG_TRY(one.text("level")));
    if (!level) return one.fail(one.line_of("level"), "level must be C1-min, C1, C2, C3, C4 or C5");
    const auto i = static_cast<std::size_t>(*level);
    if (client_line[i]) return one.fail(one.line_of("level"), fmt::format("{} is there twice: which one holds?", client_names[i]));
    client_line[i] = table->line;
    const auto highest = product_level(HENG_TRY(one.text("highest"))), on_request = product_level(HENG_TRY(one.text("on_request")));
    if (!highest || !on_request) return one.fail("highest and on_request must be R1 to R5");
    if (*level == ClientLevel::c1_min && (*highest != ProductLevel::r1 || *on_request != ProductLevel::r1))
      return one.fail("C1-min may never be given more than R1, not even on request (证券期货投资者适当性管理办法 第二十条)");
    if (*on_request < *highest) return one.fail("on_request is lower than highest: what may be recommended could not be sold");
    out->clients_[i] = {*highest, *on_request, HENG_TRY(one.texts_or_none("names"))};
    HENG_TRY(one.finish());
  }
  for (const Value* table : HENG_TRY(reader.tables_or_none("product"))) {
    Reader one(*table, name, "[[product]]");
    const auto level = product_level(HENG_TRY(one.text("level")));
    if (!level) return one.fail(one.line_of("level"), "level must be R1 to R5");
    const auto i = static_cast<std::size_t>(*level);
    if (product_line[i]) return one.fail(one.line_of("level"), fmt::format("{} is there twice", product_names[i]));
    product_line[i] = table->line;
    out->products_[i] = HENG_TRY(one.texts_or_none("names"));
    HENG_TRY(one.finish());
  }
  HENG_TRY(reader.finish());
  for (std::size_t i = 0; i < 6; ++i) {
    if (!client_line[i]) return reader.fail(fmt::format("the client level {} is missing", client_names[i]));
    if (i > 0 && out->clients_[i].highest < out->clients_[i - 1].highest)
      return reader.fail(client_line[i], fmt::format("{} may be recommended less than {}: this contradicts itself", client_names[i], client_names[i - 1]));
  }
  if (out->clients_[1].highest == ProductLevel::r5) return reader.fail(client_line[1], "every client may be recommended everything: the policy decides nothing");
  return out;
}

SuitabilityDecision Suitability::decide(ClientLevel client, ProductLevel product) const {
  const Client& rule = clients_[static_cast<std::size_t>(client)];
  SuitabilityDecision out;
  out.may_recommend = product <= rule.highest;
  out.may_sell_on_request = product <= rule.on_request;
  out.clause = header_.clause;
  if (out.may_recommend) {
    out.reason_zh = fmt::format("{} 客户可以推荐 {} 产品。", to_string(client), to_string(product));
    out.reason_en = fmt::format("A {} client may be recommended an {} product.", to_string(client), to_string(product));
  } else {
    out.reason_zh = fmt::format("{} 产品高于 {} 客户可推荐的最高等级 {}，不得推荐{}。", to_string(product), to_string(client), to_string(rule.highest),
                                out.may_sell_on_request ? "；客户主动要求的，须书面警示后办理" : "，客户主动要求也不得销售");
    out.reason_en = fmt::format("{} is above {}, the highest level that may be recommended to a {} client: it may not be recommended{}.", to_string(product), to_string(rule.highest), to_string(client),
                                out.may_sell_on_request ? "; at the client's own wish only after a written warning" : ", nor sold at the client's own wish");
  }
  return out;
}

std::vector<Violation> Suitability::check(std::string_view original) const {
  const Folded folded = fold(original);
  const std::string_view text = folded.text;
  std::vector<Mention> clients, products;
  for (std::size_t i = 0; i < 6; ++i) {
    find_names(text, {std::string(client_names[i])}, static_cast<int>(i), clients);
    find_names(text, clients_[i].names, static_cast<int>(i), clients);
  }
  if (clients.empty()) return {};
  for (std::size_t i = 0; i < 5; ++i) {
    find_names(text, {std::string(product_names[i])}, static_cast<int>(i), products);
    find_names(text, products_[i], static_cast<int>(i), products);
  }
  clients = outermost(std::move(clients));
  products = outermost(std::move(products));
  // "稳健型产品" is a product, not a client
  std::erase_if(clients, [&](const Mention& c) { return std::any_of(products.begin(), products.end(), [&](const Mention& p) { return p.begin <= c.begin && c.end <= p.end; }); });
  std::vector<Violation> out;
  for (const auto& product : products) {
    // the client named last before the product, else the first named at all
    const Mention* client = nullptr;
    for (const auto& c : clients)
      if (!client || c.begin < product.begin) client = &c;
    if (!client) continue;
    const auto decision = decide(static_cast<ClientLevel>(client->level), static_cast<ProductLevel>(product.level));
    if (decision.may_recommend || !recommends(text, sentence_at(text, product.begin, product.end))) continue;
    if (is_not_promised(text, product.begin, product.end)) continue;
    out.push_back({"suitability", decision.reason_zh + " " + decision.reason_en, decision.clause, RuleAction::withhold, folded.original[product.begin], folded.original_end[product.end - 1], ""});
  }
  return out;
}

}  // namespace heng::guard_conduct
