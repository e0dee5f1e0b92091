#include "topics.h"

#include <algorithm>

namespace heng::guard_pii {
namespace {

struct Word {
  const char* text;
  std::uint32_t topics;
};

constexpr std::uint32_t t_papers = t_id | t_passport | t_permit | t_hkid;

constexpr Word words[] = {
    {"身份证", t_id | t_hkid}, {"身份号码", t_id}, {"公民身份", t_id}, {"证件", t_papers}, {"身分证", t_id}, {"居住证", t_id}, {"户口", t_id},
    {"identity card", t_id | t_hkid}, {"id card", t_id | t_hkid}, {"id number", t_papers}, {"id no", t_papers}, {"national id", t_id}, {"identity number", t_papers},
    {"identity document", t_papers}, {"resident id", t_id}, {"hkid", t_hkid}, {"sfz", t_id}, {"cardholder id", t_id}, {"identification", t_papers},
    {"卡号", t_card}, {"银行卡", t_card}, {"信用卡", t_card}, {"借记卡", t_card}, {"储蓄卡", t_card}, {"贷记卡", t_card}, {"银联", t_card}, {"持卡", t_card},
    {"绑卡", t_card}, {"刷卡", t_card}, {"工资卡", t_card}, {"还款卡", t_card}, {"挂失", t_card}, {"打款", t_card | t_account}, {"转账", t_card | t_account},
    {"转入", t_card | t_account}, {"汇到", t_card | t_account}, {"转到", t_card | t_account}, {"收款", t_card | t_account},
    {"card", t_card}, {"cards", t_card}, {"visa", t_card}, {"mastercard", t_card}, {"amex", t_card}, {"american express", t_card}, {"unionpay", t_card},
    {"credit", t_card}, {"debit", t_card}, {"cc", t_card}, {"pan", t_card},
    {"账号", t_account}, {"帐号", t_account}, {"账户", t_account}, {"帐户", t_account}, {"对公户", t_account}, {"收款户", t_account}, {"开户", t_account},
    {"account", t_account}, {"accounts", t_account}, {"acct", t_account}, {"a/c", t_account}, {"beneficiary", t_account | t_iban},
    {"手机", t_phone}, {"电话", t_phone}, {"联系方式", t_phone}, {"致电", t_phone}, {"拨打", t_phone}, {"热线", t_phone}, {"座机", t_phone}, {"传真", t_phone},
    {"来电", t_phone}, {"微信", t_phone}, {"短信", t_phone}, {"联系", t_phone}, {"号码", t_phone}, {"拨", t_phone}, {"打给", t_phone}, {"回电", t_phone},
    {"phone", t_phone}, {"phones", t_phone}, {"telephone", t_phone}, {"mobile", t_phone}, {"cell", t_phone}, {"tel", t_phone}, {"call", t_phone}, {"calling", t_phone},
    {"called", t_phone}, {"fax", t_phone}, {"contact", t_phone}, {"reach", t_phone}, {"whatsapp", t_phone}, {"sms", t_phone}, {"text me", t_phone}, {"dial", t_phone},
    {"hotline", t_phone}, {"ring", t_phone}, {"answering", t_phone}, {"landline", t_phone}, {"extension", t_phone}, {"voicemail", t_phone}, {"ph", t_phone},
    {"office", t_phone}, {"-office", t_phone}, {"-fax", t_phone},
    {"护照", t_passport}, {"passport", t_passport}, {"passports", t_passport}, {"通行证", t_permit}, {"回乡证", t_permit}, {"台胞证", t_permit}, {"travel permit", t_permit},
    {"ssn", t_ssn}, {"social security", t_ssn}, {"社会安全号", t_ssn}, {"taxpayer", t_ssn}, {"tax id", t_ssn},
    {"routing", t_aba}, {"aba", t_aba}, {"transit number", t_aba}, {"rtn", t_aba}, {"wire", t_aba}, {"ach", t_aba}, {"汇款路线", t_aba}, {"路由号", t_aba},
    {"出生", t_birth}, {"生日", t_birth}, {"生于", t_birth}, {"诞辰", t_birth}, {"born", t_birth}, {"birth", t_birth}, {"dob", t_birth}, {"birthday", t_birth}, {"birthdate", t_birth},
    {"密码", t_password}, {"口令", t_password}, {"password", t_password}, {"passwd", t_password}, {"pwd", t_password}, {"passphrase", t_password}, {"passcode", t_password | t_otp},
    {"pin", t_pin}, {"pin code", t_pin}, {"取款密码", t_pin}, {"支付密码", t_pin}, {"交易密码", t_pin}, {"查询密码", t_pin},
    {"cvv", t_cvv}, {"cvv2", t_cvv}, {"cvc", t_cvv}, {"cvc2", t_cvv}, {"cvn", t_cvv}, {"cvn2", t_cvv}, {"安全码", t_cvv}, {"security code", t_cvv}, {"后三位", t_cvv}, {"末三位", t_cvv},
    {"card verification", t_cvv}, {"背面三位", t_cvv}, {"卡背", t_cvv},
    {"有效期", t_expiry}, {"expiry", t_expiry}, {"expires", t_expiry}, {"expiration", t_expiry}, {"valid thru", t_expiry}, {"valid through", t_expiry}, {"exp", t_expiry}, {"exp date", t_expiry},
    {"到期日", t_expiry},
    {"验证码", t_otp}, {"动态码", t_otp}, {"动态口令", t_otp}, {"校验码", t_otp}, {"动态密码", t_otp}, {"verification code", t_otp}, {"one-time", t_otp}, {"otp", t_otp}, {"2fa", t_otp},
    {"authentication code", t_otp}, {"login code", t_otp}, {"确认码", t_otp}, {"confirmation code", t_otp},
    {"driver", t_driver}, {"drivers", t_driver}, {"driver's", t_driver}, {"driving licence", t_driver}, {"driving license", t_driver}, {"驾驶证", t_driver | t_id}, {"驾照", t_driver | t_id},
    {"cusip", t_cusip}, {"isin", t_isin}, {"lei", t_lei}, {"legal entity", t_lei}, {"信用代码", t_uscc}, {"统一代码", t_uscc}, {"机构代码", t_uscc}, {"税号", t_uscc}, {"纳税人识别号", t_uscc}, {"社会信用", t_uscc},
    {"iban", t_iban}, {"邮编", t_postal}, {"邮政编码", t_postal}, {"zip", t_postal}, {"zip code", t_postal}, {"zipcode", t_postal}, {"postcode", t_postal}, {"postal code", t_postal},
    {"post code", t_postal}, {"车牌", t_plate}, {"号牌", t_plate}, {"license plate", t_plate}, {"number plate", t_plate},
    {"api key", t_secret}, {"apikey", t_secret}, {"api_key", t_secret}, {"api-key", t_secret}, {"secret", t_secret}, {"secret_key", t_secret}, {"secretkey", t_secret},
    {"access key", t_secret}, {"access_key", t_secret}, {"accesskey", t_secret}, {"token", t_secret}, {"access_token", t_secret}, {"auth_token", t_secret}, {"bearer", t_secret},
    {"密钥", t_secret}, {"秘钥", t_secret}, {"令牌", t_secret}, {"client_secret", t_secret}, {"私钥", t_secret},
    {"订单", t_not_personal}, {"流水", t_not_personal}, {"单号", t_not_personal}, {"运单", t_not_personal}, {"快递", t_not_personal}, {"编号", t_not_personal}, {"批次", t_not_personal},
    {"合同号", t_not_personal}, {"凭证号", t_not_personal}, {"案号", t_not_personal}, {"发票", t_not_personal}, {"序列号", t_not_personal}, {"型号", t_not_personal}, {"版本", t_not_personal},
    {"股票代码", t_not_personal}, {"证券代码", t_not_personal}, {"基金代码", t_not_personal}, {"代码", t_not_personal}, {"金额", t_not_personal}, {"条码", t_not_personal}, {"条形码", t_not_personal},
    {"文号", t_not_personal}, {"备案号", t_not_personal}, {"许可证号", t_not_personal}, {"登记号", t_not_personal}, {"市值", t_not_personal}, {"成交", t_not_personal}, {"参考号", t_not_personal},
    {"order", t_not_personal}, {"tracking", t_not_personal}, {"invoice", t_not_personal}, {"reference", t_not_personal}, {"ref", t_not_personal}, {"ticket", t_not_personal}, {"serial", t_not_personal},
    {"sku", t_not_personal}, {"transaction", t_not_personal}, {"txn", t_not_personal}, {"batch", t_not_personal}, {"version", t_not_personal}, {"model", t_not_personal}, {"barcode", t_not_personal},
    {"imei", t_not_personal}, {"isbn", t_not_personal}, {"ticker", t_not_personal}, {"shipment", t_not_personal}, {"parcel", t_not_personal}, {"timestamp", t_not_personal}, {"checksum", t_not_personal},
    {"build", t_not_personal}, {"case number", t_not_personal}, {"amount", t_not_personal}, {"total", t_not_personal}, {"revenue", t_not_personal}, {"trace", t_not_personal},
    {"AKIA", t_secret_prefix}, {"ASIA", t_secret_prefix}, {"LTAI", t_secret_prefix}, {"AKID", t_secret_prefix}, {"sk-", t_secret_prefix}, {"pk-", t_secret_prefix},
    {"sk_live_", t_secret_prefix}, {"rk_live_", t_secret_prefix}, {"ghp_", t_secret_prefix}, {"gho_", t_secret_prefix}, {"ghs_", t_secret_prefix}, {"github_pat_", t_secret_prefix},
    {"xoxb-", t_secret_prefix}, {"xoxp-", t_secret_prefix}, {"AIza", t_secret_prefix}, {"heng_", t_secret_prefix}, {"glpat-", t_secret_prefix}, {"hf_", t_secret_prefix},
    {"eyJ", t_secret_prefix}, {"-----BEGIN", t_pem}, {"://", t_link}, {"www.", t_link},
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_ascii(const char* s) { return static_cast<unsigned char>(*s) < 0x80; }

/// Latin words must stand alone, or glued to digits or '_' ("tel138…", "card_no").
bool stands_alone(std::string_view text, const Word& word, std::size_t begin, std::size_t end) {
  if (!is_ascii(word.text) || (word.topics & (t_secret_prefix | t_pem | t_link))) return true;
  if (begin > 0 && is_letter(text[begin - 1]) && is_letter(text[begin])) return false;
  return end >= text.size() || !is_letter(text[end]) || !is_letter(text[end - 1]);
}

}  // namespace

Result<std::unique_ptr<TopicScanner>> TopicScanner::create() {
  std::vector<guard_text::Literal> literals;
  for (const auto& word : words) literals.push_back({word.text, !(word.topics & (t_secret_prefix | t_pem))});
  return std::unique_ptr<TopicScanner>(new TopicScanner(HENG_TRY(guard_text::Literals::create(literals))));
}

Result<void> TopicScanner::scan(std::string_view text, std::vector<TopicHit>& out) const {
  return literals_->scan(text, [&](std::size_t id, std::size_t begin, std::size_t end) {
    if (stands_alone(text, words[id], begin, end)) out.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), words[id].topics});
  });
}

int Surroundings::distance(std::uint32_t topics, std::size_t begin, std::size_t end, int before, int after) const {
  const auto is_start = [this](std::size_t i) { return (static_cast<unsigned char>(text_[i]) & 0xC0) != 0x80; };
  std::size_t from = begin;
  for (int k = 0; k < before && from > 0;) k += is_start(--from);
  std::size_t until = end;
  for (int k = 0; k < after && until < text_.size(); ++until) k += is_start(until);
  int best = -1;
  auto hit = std::lower_bound(hits_.begin(), hits_.end(), from, [](const TopicHit& h, std::size_t at) { return h.end < at; });
  for (; hit != hits_.end() && hit->begin <= until; ++hit) {
    if (!(hit->topics & topics)) continue;
    int d = -1;
    if (hit->end <= begin && hit->begin >= from) d = static_cast<int>(begin - hit->end);
    if (hit->begin >= end && hit->end <= until) d = 2 * static_cast<int>(hit->begin - end) + 4;
    if (d >= 0 && (best < 0 || d < best)) best = d;
  }
  return best;
}

bool Surroundings::speaks_for(std::uint32_t topics, std::size_t begin, std::size_t end, int before, int after) const {
  const int near = distance(topics, begin, end, before, after);
  if (near < 0) return false;
  const int against = distance(t_not_personal, begin, end, before, 0);
  return against < 0 || near <= against;
}

bool Surroundings::speaks_against(std::uint32_t topics, std::size_t begin, std::size_t end) const {
  const int against = distance(t_not_personal, begin, end, 24, 0);
  if (against < 0) return false;
  const int near = distance(topics, begin, end, 40, 12);
  return near < 0 || against < near;
}

bool Surroundings::ends_at(std::uint32_t topics, std::size_t at) const {
  auto hit = std::lower_bound(hits_.begin(), hits_.end(), at, [](const TopicHit& h, std::size_t place) { return h.end < place; });
  for (; hit != hits_.end() && hit->end == at; ++hit)
    if (hit->topics & topics) return true;
  return false;
}

}  // namespace heng::guard_pii
