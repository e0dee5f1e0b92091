#include "grounding/vocabulary.h"

#include <unordered_map>
#include <unordered_set>

#include "grounding/words.h"
#include "heng/base/text.h"

namespace heng::guard {

namespace {

std::unordered_set<std::string> words_of(std::string_view list) {
  std::unordered_set<std::string> out;
  for (const auto word : text::split(list, ' '))
    if (!word.empty()) out.emplace(word);
  return out;
}

constexpr std::string_view function_words =
    "a an the of to in on at by for from with as and or but nor so yet if then than that this these those it its itself he she they them "
    "their his her him we us our you your i me my is are was were be been being am do does did done doing have has had having will would "
    "shall should can could may might must not no yes what which who whom whose when where why how there here also only just very more "
    "most much many some any each every all both other such same own into onto upon about above below between through during before after "
    "over under again further once because while until against out off up down too s t don now per via etc eg ie vs within without please "
    "let get gets got e g re ve ll d m ok according document documents passage passages source sources text state stated states mention "
    "mentioned based provided context answer question respectively whether however therefore thus one ones among amid";

constexpr std::string_view generic_words =
    "specific requirement require criteria provide describ process inform includ general detail follow certain relevant relat regard concern "
    "case need make use give take mean refer specif example type kind way thing person part number amount total set forth ensur determin "
    "consider appli apply applic respect purpos particular applicabl condition condit circumstanc procedur step action consequenc main key "
    "explain list outlin expect accord involv result level high low new year month day date time period end begin start value rate "
    "company corpor entity firm business financial inform data report statement item figur activ provision rule regulat law under current "
    "support help offer guidance clarify clarif elaborat verify verifi resource recommend expect possibl understand various prepar method assess evaluat "
    "address handl typical common additional potential effectiv appropriat define definition meaning scenario utiliz best practice individual party "
    "percent percentag million billion thousand dollar yuan compar chang differ increas decreas had during amount respectiv usd rmb "
    "规定 要求 情况 什么 如何 怎么 哪些 是否 应当 可以 进行 相关 有关 多少 几个 以及 其他 按照 根据 需要 必须 多久 时候 期间 时间 问题 内容 方式 "
    "条件 具体 包括 主要 分别 其中 同时 以下 以上 不得 应该 可能 由于 因此 关于 对于 通过 规范 办法 公司 年度 人民 民币 金额 数量 万元 亿元 报告 "
    "请问 哪个 哪里 为什 什么 怎样 么样 想问 一下 有多 多大 多长 属于 它们 我们 你们 他们 作为 成为 资料 文档 文件 提供 显示 指出 提到 说明 介绍";

struct Irregular {
  std::string_view word;
  const char* stem;
};
constexpr Irregular irregulars[] = {
    {"fell", "fall"}, {"fallen", "fall"}, {"grew", "grow"}, {"grown", "grow"}, {"growth", "grow"}, {"rose", "ris"}, {"risen", "ris"}, {"rising", "ris"},
    {"paid", "pay"}, {"payment", "pay"}, {"payments", "pay"}, {"payable", "payable"}, {"held", "hold"}, {"sold", "sell"}, {"sale", "sell"}, {"sales", "sell"},
    {"bought", "buy"}, {"lent", "lend"}, {"spent", "spend"}, {"kept", "keep"}, {"chose", "choos"}, {"chosen", "choos"},
    {"withdrew", "withdraw"}, {"withdrawn", "withdraw"}, {"withdrawal", "withdraw"}, {"withdrawals", "withdraw"}, {"written", "writ"}, {"wrote", "writ"},
    {"lost", "loss"}, {"losses", "loss"}, {"loss", "loss"}, {"fees", "fee"}, {"fee", "fee"}, {"free", "free"}, {"children", "child"}, {"approval", "approv"},
    {"renewal", "renew"}, {"reimbursement", "reimburs"}, {"transferred", "transfer"}, {"transferring", "transfer"}, {"news", "news"},
    {"basis", "basis"}, {"proceeds", "proceeds"}, {"goods", "goods"}, {"analysis", "analys"}, {"analyses", "analys"}, {"people", "person"},
    {"decline", "declin"}, {"series", "series"}, {"disclosure", "disclos"}, {"disclosures", "disclos"}, {"submission", "submit"},
    {"submissions", "submit"}, {"permission", "permit"}, {"permissions", "permit"}, {"assessment", "assess"}, {"assessments", "assess"},
    {"investment", "invest"}, {"investments", "invest"}, {"investor", "investor"}, {"management", "manag"}};

}  // namespace

bool is_function_word(std::string_view folded) {
  static const auto set = words_of(function_words);
  return set.contains(std::string(folded));
}

bool is_function_character(char32_t c) {
  constexpr std::u32string_view characters = U"的了和与及或在是为将被把其该此等于以之并而也都就则若如请您我你他她它们这那有吗呢吧啊呀么个所由从但且让不未没";
  return characters.find(c) != std::u32string_view::npos;
}

bool is_generic_word(std::string_view word) {
  static const auto set = [] {
    std::unordered_set<std::string> out;
    for (const auto w : text::split(generic_words, ' ')) {
      if (w.empty()) continue;
      out.emplace(w);
      out.insert(stem(w));
    }
    return out;
  }();
  return set.contains(std::string(word));
}

const char* irregular_stem(std::string_view folded) {
  static const auto map = [] {
    std::unordered_map<std::string_view, const char*> out;
    for (const auto& i : irregulars) out.emplace(i.word, i.stem);
    return out;
  }();
  const auto found = map.find(folded);
  return found == map.end() ? nullptr : found->second;
}

const std::vector<std::vector<std::string>>& synonym_groups() {
  static const std::vector<std::vector<std::string>> groups = {
      {"revenue", "sales", "turnover", "营业收入", "营收", "收入"}, {"profit", "earnings", "income", "利润"}, {"loss", "亏损", "损失"},
      {"expense", "cost", "费用", "成本", "支出"}, {"fee", "charge", "费用", "手续费", "收费"}, {"interest", "利息"}, {"rate", "利率", "费率"},
      {"loan", "贷款", "借款"}, {"deposit", "存款"}, {"account", "账户", "帐户"}, {"customer", "client", "客户"}, {"bank", "银行"},
      {"asset", "资产"}, {"liability", "debt", "负债", "债务"}, {"equity", "权益"}, {"dividend", "股息", "分红", "股利"},
      {"share", "stock", "股份", "股票"}, {"shareholder", "stockholder", "股东"}, {"bond", "债券"}, {"fund", "基金"},
      {"insurance", "保险"}, {"risk", "风险"}, {"credit card", "信用卡"}, {"annual", "yearly", "年度", "年费"}, {"withdraw", "取款", "提取", "取现", "支取"},
      {"transfer", "remittance", "remit", "转账", "汇款"}, {"exchange", "兑换", "汇率"}, {"overdue", "late", "delinquent", "逾期"},
      {"penalty", "fine", "罚款", "违约金", "罚金"}, {"term", "maturity", "期限", "到期"}, {"repay", "repayment", "还款", "偿还"},
      {"early", "prepay", "提前"}, {"minimum", "lowest", "最低", "至少"}, {"maximum", "highest", "最高", "至多"}, {"limit", "cap", "限额", "额度", "上限"},
      {"increase", "rise", "grow", "gain", "增加", "增长", "上升", "提高", "上涨"}, {"decrease", "decline", "fall", "drop", "reduce", "减少", "下降", "降低", "下跌"},
      {"apply", "application", "申请"}, {"approve", "approval", "批准", "审批", "核准"}, {"contract", "agreement", "合同", "协议"},
      {"director", "董事"}, {"auditor", "审计"}, {"tax", "税"}, {"regulator", "authority", "监管"}, {"report", "报告"}, {"disclose", "披露"},
      {"business day", "working day", "工作日"}, {"branch", "outlet", "网点", "支行"}, {"password", "pin", "密码"}, {"card", "卡片", "银行卡"},
      {"free", "waive", "exempt", "免费", "免收", "免除", "减免"}, {"close", "cancel", "terminate", "销户", "注销", "取消", "终止"},
      {"open", "开户", "开立"}, {"buy", "purchase", "acquire", "购买", "买入", "申购"}, {"sell", "redeem", "redemption", "卖出", "赎回"},
      {"begin", "start", "commence", "开始"}, {"end", "finish", "expire", "结束", "届满"}, {"submit", "file", "lodge", "提交", "报送"},
      {"notify", "inform", "notice", "notification", "通知", "告知"}, {"obtain", "receive", "get", "获得", "取得"}, {"employee", "staff", "worker", "员工", "职工", "雇员"},
      {"allow", "permit", "允许", "准许"}, {"prohibit", "forbid", "ban", "禁止"}, {"require", "need", "要求", "需要"}, {"keep", "retain", "maintain", "保存", "保留"},
      {"foreign", "overseas", "境外", "国外"}, {"currency", "货币", "币种"}, {"net", "净额"}, {"gross", "毛利"}, {"quarter", "季度"},
      {"ratio", "比率", "比例"}, {"balance", "余额"}, {"statement", "bill", "账单", "对账单"}, {"due", "payable", "应付"}, {"principal", "本金"},
      {"guarantee", "担保", "保证"}, {"collateral", "mortgage", "抵押"}, {"company", "firm", "corporation", "公司", "企业"}, {"subsidiary", "子公司"},
      {"price", "价格", "价款"}, {"market", "市场"}, {"invest", "投资"}, {"investor", "投资者", "投资人"}, {"security", "证券"}, {"trade", "transaction", "交易"},
      {"complaint", "投诉"}, {"dispute", "争议", "纠纷"}, {"fraud", "欺诈", "诈骗"}, {"identity", "身份"}, {"document", "材料", "证件"},
      {"lost", "挂失", "丢失", "遗失"}, {"replace", "补办", "换卡"}, {"activate", "激活", "启用"}, {"monthly", "每月", "按月"}, {"daily", "每日", "按日"},
      {"total", "sum", "合计", "总额", "总计"}, {"average", "mean", "平均"}, {"cash", "现金"}, {"online", "网上", "线上"}, {"mobile", "手机"},
      {"hotline", "telephone", "phone", "热线", "电话"}, {"hours", "营业时间"}, {"fixed", "固定"}, {"floating", "variable", "浮动"},
      {"year", "年份"}, {"month", "月份"}, {"day", "天数"}, {"calculate", "compute", "计算"}, {"exceed", "超过", "超出"}, {"reward", "points", "积分"},
      {"appoint", "任命", "聘任", "委任"}, {"person", "individual", "个人", "自然人"}, {"adult", "成年"}, {"minor", "未成年"}, {"supervise", "监督"}};
  return groups;
}

}  // namespace heng::guard
