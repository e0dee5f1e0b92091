#include <gtest/gtest.h>

#include "heng/guard_conduct/phrases.h"

namespace heng::guard_conduct {
namespace {

const PhraseRules& rules() {
  static const auto made = [] {
    auto out = PhraseRules::create(default_marketing_text(), "marketing.toml");
    EXPECT_TRUE(out.ok()) << out.error().message;
    return std::move(*out);
  }();
  return *made;
}
bool stopped(const std::string& text) {
  auto found = rules().check(text);
  EXPECT_TRUE(found.ok());
  for (const auto& v : *found)
    if (v.action != RuleAction::advise) return true;
  return false;
}
std::string changed(std::string_view from, std::string_view to) {
  std::string text(default_marketing_text());
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}
std::string refusal(const std::string& text) {
  auto made = PhraseRules::create(text, "m.toml");
  return made.ok() ? "" : made.error().message;
}

// Written as salespeople write, not from the lists: chat messages, posters, calls. Two in three have wordings that no rule names whole.
const std::vector<std::string> promises = {
    "王姐，这个理财您闭着眼睛放，本金绝对安全，每年保证给您5个点", "哥，稳稳当当的，保本的，我自己爸妈都买了", "年化8%，保本保息，随存随取", "我行郑重承诺：到期本金全额返还，收益不低于4.5%", "跟存款一样安全，利息翻三倍",
    "放心吧，这只基金不会亏的", "这款产品零风险、收益高，只剩最后200份", "稳赚不赔的好机会，错过再等一年", "保证您一年翻一番", "亏了我们全赔，赚了都归您", "本金有保障，收益远超定存", "无任何风险，老年人首选",
    "内部渠道产品，收益高达12%，名额有限先到先得", "秒到账，零门槛，人人可贷，不看征信", "历史业绩证明，我们管理的产品从未亏损", "百分百安全的国企背景项目，保证收益", "固定回报每月1.2%，签合同写明", "您就满仓买入这只，下周肯定涨", "建议您立刻买入茅台", "躺着赚钱的机会来了",
    "这个信托有兜底，刚性兑付从没出过事", "最低收益3.8%，上不封顶", "风险几乎为零，收益是余额宝的三倍", "我帮您填写问卷，您签个字就行", "测评的时候往高了选，不然买不了", "保 本 保 收 益，稳 赚 不 赔", "ｂａｏ不说了，绝对ｂｅ零风险", "保·本·理·财，零·风·险",
    "We guarantee a 10% annual return on this note.", "Your money is completely safe with us, there is zero risk.", "This is a risk-free way to earn 7% a year.", "You simply cannot lose with this strategy.", "Guaranteed income for life, no downside.", "Double your money in six months!",
    "The fund has never lost money and will keep rising for sure — you will definitely earn.", "Act now: only a few spots left at this rate.", "Your principal is fully protected and the profit is guaranteed.", "It is as safe as a savings account but pays three times more.", "I recommend buying this stock today.", "You should buy Tesla before Friday.",
    "Assured returns, paid monthly.", "We promise you a return of at least 6 percent.", "No risk, all reward.", "We will cover your loss if the market falls.", "Low risk, high return: that is our speciality.", "Everyone is approved, no credit check, cash in seconds.", "This bond is certain to profit.", "Past performance guarantees that next year will be good.",
    "Retire early with this simple plan, easy money.", "For the risk questionnaire, just pick the boldest answers.", "It is 100% safe, trust me.", "Make money while you sleep with our robo portfolio."};

// Sentences of the same matter that promise nothing.
const std::vector<std::string> harmless = {
    "本产品为非保本浮动收益型理财产品。", "理财非存款，产品有风险，投资须谨慎。", "我行不承诺保本，也不承诺最低收益。", "任何机构不得承诺保本保收益。", "凡是承诺“稳赚不赔”的，都是诈骗。", "请问这款产品保本吗？", "你们有没有保本的产品？", "投资不可能零风险。", "警惕“高收益、零风险”的宣传陷阱。",
    "资管新规打破刚性兑付，银行不再兜底。", "存款保险为您的存款提供保障，最高偿付限额为50万元。", "无风险利率下降影响估值。", "过往业绩不代表未来表现。", "该基金去年亏损3%。", "本基金不保证一定盈利，也不保证最低收益。", "切勿相信“内幕消息”“稳赚不赔”等宣传。", "收益率为年化2.1%，按日计息。", "本行从不要求客户代填风险测评问卷。",
    "销售人员宣称“保本保息”，我要投诉。被处罚的机构曾宣传零风险。", "这并不意味着没有风险。", "客户问：是不是保证收益？答：不是。", "国债由国家信用支持，但价格仍会波动。", "保证金比例为12%。", "连带责任保证由担保公司提供。", "客户应当在充分了解风险后自主决定。", "低风险产品的净值同样可能下跌。",
    "什么是保本理财？", "保本理财已成为历史。", "严禁向客户保证收益或承诺承担损失。", "如有人向您承诺高额回报，请立即报警。", "贷款审批通常需要三个工作日。", "转账金额超过五万元需要短信验证。", "信用卡无门槛礼品活动已结束，以页面为准。" , "不要相信秒到账的贷款广告。",
    "Returns are not guaranteed and you may lose money.", "No investment is risk-free.", "There is no guarantee of profit.", "Never trust anyone who promises guaranteed returns.", "Is the principal guaranteed?", "Offers of risk-free profits are a common scam.", "The risk-free rate is 4.2 percent.", "Past performance does not guarantee future results.",
    "We do not promise any return.", "Firms may not describe a product as risk-free.", "Deposits up to 250,000 dollars are insured by the FDIC.", "The fund lost 3 percent last year.", "It is illegal to guarantee investment returns.", "What is a guaranteed investment contract?", "The guarantor signs a loan guarantee.", "Beware of ads that say you can double your money.",
    "You should buy travel insurance only if you need it, our staff cannot advise.", "Capital is at risk.", "The bank was fined for calling the note completely safe.", "Can I get my money back at any time?", "A high return usually comes with high risk.", "There are no risk-free returns above the Treasury rate."};

TEST(Marketing, FindsPromisesAndLeavesTheRest) {
  int found = 0, wrong = 0;
  for (const auto& text : promises) {
    if (stopped(text)) ++found;
    else std::printf("missed: %s\n", text.c_str());
  }
  for (const auto& text : harmless)
    if (stopped(text)) {
      ++wrong;
      std::printf("wrong: %s\n", text.c_str());
    }
  std::printf("marketing: recall %.3f of %zu, false positives %.3f of %zu\n", double(found) / double(promises.size()), promises.size(), double(wrong) / double(harmless.size()), harmless.size());
  EXPECT_GE(double(found) / double(promises.size()), 0.95);
  EXPECT_LE(double(wrong) / double(harmless.size()), 0.02);
}

// Letters put apart: found by the red team.
TEST(Marketing, SeesThroughLettersPutApart) {
  for (const char* text : {"Y o u r  p r i n c i p a l  i s  g u a r a n t e e d.", "It is r i s k-f r e e for you.", "T h i s  f u n d  g u a r a n t e e s  a  r e t u r n  o f 12%.", "y-o-u  c-a-n-n-o-t  l-o-s-e with it",
                           "G*u*a*r*a*n*t*e*e*d returns"})
    EXPECT_TRUE(stopped(text)) << text;
  for (const char* text : {"Plan A or B or C: a b c d e f g", "W e  d o  n o t  g u a r a n t e e  a n y  r e t u r n.", "The form asks for initials, e.g. J. R. R. T."}) EXPECT_FALSE(stopped(text)) << text;
}

TEST(Marketing, NamesTheClauseAndThePlace) {
  const std::string text = "各位好：本产品保本保收益。";
  const auto found = *rules().check(text);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(text.substr(found[0].begin, found[0].end - found[0].begin), "保本");
  EXPECT_FALSE(found[0].clause.empty());
}

TEST(Marketing, AsksForDisclosures) {
  const auto found = *rules().check("该产品历史业绩优异。");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].action, RuleAction::advise);
  EXPECT_EQ(found[0].add, "过往业绩不代表未来表现。");
  EXPECT_TRUE(rules().check("该产品历史业绩优异，过往业绩不代表未来表现。")->empty());
}

TEST(Marketing, RefusesBadPolicies) {
  EXPECT_NE(refusal(changed("id = \"no-risk\"", "id = \"inducement\"")).find("there twice"), std::string::npos);
  EXPECT_NE(refusal(changed("\"低门槛\", ", "\"保本\", ")).find("which action holds"), std::string::npos);
  EXPECT_NE(refusal(changed("\"低门槛\", ", "\"的\", ")).find("too short"), std::string::npos);
  EXPECT_NE(refusal(changed("action = \"withhold\"", "action = \"explode\"")).find("action must be"), std::string::npos);
  EXPECT_NE(refusal(changed("allows = [\"本产品不保本，不承诺收益\"", "allows = [\"保本\"")).find("which it says it allows"), std::string::npos);
  EXPECT_NE(refusal(changed("unless = [\"存款保险\"", "unless = [\"保本\"")).find("which one holds"), std::string::npos);
  const std::string head = "kind = \"marketing\"\nid = \"x\"\nversion = \"1\"\nowner = \"o\"\nclause = \"c\"\neffective_from = 2026-01-01\n";
  EXPECT_NE(refusal(head).find("let everything through"), std::string::npos);
  const std::string rule = "[[rule]]\nid = \"gift\"\ntitle = \"t\"\nclause = \"c\"\naction = \"withhold\"\nzh = [\"送好礼\"]\nviolates = [\"开户送好礼\"]\n";
  const auto disclosure = [&](const std::string& when, const std::string& zh) {
    return refusal(head + rule + "[[disclosure]]\nid = \"d\"\nclause = \"c\"\nwhen = [\"" + when + "\"]\nwanted = [\"详见条款\", \"see the terms\"]\nzh = \"" + zh + "\"\nen = \"See the terms.\"\n");
  };
  EXPECT_EQ(disclosure("开户", "详见条款。"), "");
  EXPECT_NE(disclosure("开户", "开户送好礼，详见条款。").find("forbidden by the rule \"gift\""), std::string::npos) << disclosure("开户", "开户送好礼，详见条款。");
  EXPECT_NE(disclosure("开户详见条款", "详见条款。").find("never be asked for"), std::string::npos);
  EXPECT_NE(refusal(head + "[[rule]]\nid = \"all\"\ntitle = \"t\"\nclause = \"c\"\naction = \"withhold\"\nzh = [\"请问\", \"产品\", \"一般\", \"年利率\", \"身份证\", \"手机\", \"贷款\", \"投资\", \"网点\", \"信用卡\"]\nnegation_lifts = false\nviolates = [\"手机\"]\n")
                .find("block everything"), std::string::npos);
}

}  // namespace
}  // namespace heng::guard_conduct
