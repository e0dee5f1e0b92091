// Chinese addresses: from the house number back over the names of road, district, city and province, and on to the room.
#include <array>
#include <string_view>

#include "heng/base/text.h"
#include "scan.h"

namespace heng::guard_pii {
namespace {

constexpr std::string_view unit_words[] = {"号楼", "号院", "号", "栋", "幢", "单元", "层", "楼", "室", "弄", "座", "房", "巷", "支弄", "组", "院"};
constexpr std::string_view road_words[] = {"大道", "大街", "路", "街", "道", "巷", "弄", "胡同", "里", "村", "镇", "乡", "庄", "屯", "社区", "小区", "花园", "新村", "公寓", "大厦",
                                           "广场", "苑", "城", "园", "段", "区", "寨", "湾", "坊", "家园"};
constexpr std::string_view area_words[] = {"省", "市", "区", "县", "自治区", "自治州", "旗", "盟", "镇", "乡", "街道"};
// words that lead into an address and do not belong to it
constexpr std::string_view leads[] = {"地址", "住址", "住在", "位于", "家住", "现居", "居住于", "居住在", "寄到", "送到", "寄往", "搬到", "户籍", "籍贯", "住所", "住", "在", "到", "为", "是", "至",
                                      "于", "往", "去", "从", "我家", "公司", "和", "或", "请", "改成", "改为", "把"};

bool ends_with_any(std::string_view s, const auto& words, std::size_t* size = nullptr) {
  for (const std::string_view word : words)
    if (s.ends_with(word)) {
      if (size) *size = word.size();
      return true;
    }
  return false;
}

std::size_t unit_at(std::string_view s) {
  std::size_t best = 0;
  for (const auto word : unit_words)
    if (s.starts_with(word) && word.size() > best) best = word.size();
  return best;
}

/// Start of the Han characters before `at`, at most `most`.
std::size_t han_start(std::string_view text, std::size_t at, int most) {
  while (at >= 3 && most-- > 0) {
    const auto lead = static_cast<unsigned char>(text[at - 3]);
    if (lead < 0xE3 || lead > 0xE9) break;
    std::size_t i = at - 3;
    if (!text::is_cjk(text::next(text, i))) break;
    at -= 3;
  }
  return at;
}

}  // namespace

void scan_address_zh(Scan& scan, std::size_t number_begin, std::size_t number_end) {
  const std::string_view text = scan.text;
  if (unit_at(text.substr(number_end)) == 0) return;
  // back: Han, and numbers inside ("三环路88弄5号")
  std::size_t begin = han_start(text, number_begin, 40);
  std::string_view left = text.substr(begin, number_begin - begin);
  if (left.empty() || !ends_with_any(left, road_words)) return;
  for (const auto lead : leads) {
    const auto at = left.rfind(lead);
    if (at == std::string_view::npos || (at % 3) != 0) continue;
    const std::string_view rest = left.substr(at + lead.size());
    if (rest.size() < 6) continue;  // "…在路" would leave nothing
    begin += at + lead.size();
    left = rest;
  }
  // an address names at least a road of two characters, and beside it an area, or a second unit behind
  std::size_t end = number_end, units = 0;
  while (units < 6) {
    const std::size_t unit = unit_at(text.substr(end));
    if (unit == 0) break;
    end += unit;
    ++units;
    std::size_t next = end, bytes = 1;
    while (next < text.size() && (is_alnum(text[next]) || digit_at(text, next, bytes) >= 0 || text[next] == '-')) next += is_alnum(text[next]) || text[next] == '-' ? 1 : bytes;
    if (next > end && unit_at(text.substr(next)) > 0) {
      end = next;
    } else if (next > end && next - end <= 5 && is_digit(text[end])) {
      end = next;
      break;
    } else {
      break;
    }
  }
  bool area = false;
  for (const auto word : area_words) area = area || (left.find(word) != std::string_view::npos && left.find(word) + word.size() < left.size());
  if (left.size() >= 6 && (area || units >= 2 || left.size() >= 9)) scan.add(begin, end, Type::address, area ? 86 : 74, "address");
}

}  // namespace heng::guard_pii
