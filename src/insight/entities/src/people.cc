// People: a surname and a given name beside a title. Names alone are too easily words.
#include <unicode/uchar.h>

#include <algorithm>

#include "heng/base/text.h"
#include "scan.h"

namespace heng::insight_entities {
namespace {

using View = std::u32string_view;

constexpr View surnames =
    U"王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严"
    U"覃武戴莫孔向汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧阳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司"
    U"卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉"
    U"伊仝区郜海阚花权强帅屠豆朴盖练廉禹井祖漆巴丰支卿国狄平计索宣晋相初门云容敬来扈晁芮都普阙浦戈伏鹿薄邸雍辜阿乌母裘亓修邰赫杭况那宿鲜印逯隆茹诺战慕危玉银亢哈湛宾戎勾茅利於呼居揭干但尉冶斯元束檀";
constexpr View compound[] = {U"欧阳", U"司马", U"上官", U"诸葛", U"东方", U"皇甫", U"尉迟", U"公孙", U"慕容", U"令狐", U"夏侯", U"司徒", U"端木", U"南宫", U"轩辕", U"长孙", U"宇文"};

// what may stand right before a name, longest first where one ends in another
constexpr View titles_before[] = {U"董事长", U"副总裁", U"总裁", U"副总经理", U"总经理", U"经理", U"董事会秘书", U"董事", U"监事", U"行长", U"主席", U"首席执行官", U"首席财务官", U"首席经济学家",
                                  U"财务总监", U"实际控制人", U"实控人", U"法定代表人", U"创始人", U"控股股东", U"大股东", U"股东", U"自然人", U"分析师", U"高管", U"被告人", U"被告", U"原告", U"主任", U"秘书长",
                                  U"部长", U"局长", U"市长", U"省长", U"书记", U"研究员", U"基金经理", U"律师", U"记者", U"一致行动人", U"持有人", U"合伙人", U"ceo", U"cfo", U"cto"};
constexpr View titles_behind[] = {U"先生", U"女士", U"小姐", U"博士", U"教授", U"董事长", U"总裁", U"总经理", U"行长"};
constexpr View verbs_behind[] = {U"表示", U"认为", U"指出", U"辞去", U"辞职", U"先生", U"女士", U"透露", U"强调", U"介绍", U"坦言", U"直言", U"持有", U"减持", U"增持", U"担任", U"质押", U"将其", U"所持", U"通过", U"及其", U"合计",
                                 U"被", U"称", U"说", U"任", U"因", U"于", U"拟", U"以", U"与", U"和", U"及", U"、", U",", U"。", U"(", U"的", U"将", U"持", U"等", U"在", U"向", U"对", U"已", U":", U";", U"“", U"\"", U" "};

bool han(char32_t c) { return text::is_cjk(c); }

std::size_t surname_at(View text, std::size_t at) {
  for (const View name : compound) {
    if (at_word(text, at, name)) return 2;
  }
  return at < text.size() && surnames.find(text[at]) != View::npos ? 1 : 0;
}

bool verb_at(View text, std::size_t at) {
  return at >= text.size() || std::any_of(std::begin(verbs_behind), std::end(verbs_behind), [&](View verb) { return at_word(text, at, verb); });
}

/// End of a Chinese name that begins at `at`, or `at`: the surname and one or two more, so that what follows can stand
/// behind a name; `free`: something else already says that it is one.
std::size_t chinese_name(View text, std::size_t at, bool free) {
  const std::size_t surname = surname_at(text, at);
  if (!surname) return at;
  for (const std::size_t given : {std::size_t{2}, std::size_t{1}}) {
    const std::size_t end = at + surname + given;
    if (end > text.size() || !std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at + surname), text.begin() + static_cast<std::ptrdiff_t>(end), han)) continue;
    if (given == 2 && verb_at(text, at + surname + 1) && !verb_at(text, end)) continue;
    if (verb_at(text, end)) return end;
  }
  // nothing tells where it ends: three characters are the commonest
  const std::size_t end = at + surname + 2;
  if (free && end <= text.size() && han(text[end - 1]) && han(text[end - 2])) return end;
  return at;
}

void add(std::size_t begin, std::size_t end, std::vector<Candidate>& out) {
  Candidate found;
  found.entity.type = "person";
  found.entity.begin = begin;
  found.entity.end = end;
  found.rank = 1;
  out.push_back(std::move(found));
}

bool upper(char32_t c) { return c >= U'A' && c <= U'Z'; }

/// One to three capitalised words, as written; returns the end, or `at`.
std::size_t english_name(View original, std::size_t at) {
  std::size_t i = at, end = at;
  for (int words = 0; words < 3; ++words) {
    if (i >= original.size() || !upper(original[i])) break;
    std::size_t j = i + 1;
    while (j < original.size() && (latin(original[j]) || original[j] == U'-' || original[j] == U'\'')) ++j;
    if (j - i == 1 && j < original.size() && original[j] == U'.') ++j;  // an initial
    if (j - i == 1) break;
    end = j;
    if (j >= original.size() || original[j] != U' ') break;
    i = j + 1;
  }
  return end;
}

constexpr View english_titles[] = {U"mr. ", U"mr ", U"ms. ", U"ms ", U"mrs. ", U"mrs ", U"dr. ", U"dr ", U"chief executive ", U"chief executive officer ", U"ceo ", U"cfo ", U"chairman ", U"chairwoman ",
                                   U"chair ", U"president ", U"analyst ", U"governor ", U"treasury secretary ", U"founder ", U"prime minister ", U"senator "};

}  // namespace

void find_people(View original, View text, std::vector<Candidate>& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const View title : titles_before) {
      if (!at_word(text, i, title)) continue;
      std::size_t at = i + title.size();
      if (at < text.size() && (text[at] == U' ' || text[at] == U':')) ++at;
      // several people: 股东张三、李四
      for (int several = 0; several < 6; ++several) {
        const std::size_t end = chinese_name(text, at, false);
        if (end == at) break;
        add(at, end, out);
        if (end >= text.size() || (text[end] != U'、' && text[end] != U'和' && text[end] != U'及')) break;
        at = end + 1;
      }
    }
    for (const View title : titles_behind) {
      if (!at_word(text, i, title)) continue;
      for (const std::size_t size : {std::size_t{3}, std::size_t{2}, std::size_t{4}}) {
        if (i < size) continue;
        const std::size_t at = i - size, surname = surname_at(text, at);
        const bool whole = surname && size - surname >= 1 && size - surname <= 2 &&
                           std::all_of(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(i), han);
        // the character before must not continue a word: a name follows a mark, a title or the beginning
        const bool fresh = at == 0 || !han(text[at - 1]) || title == U"先生" || title == U"女士";
        if (whole && fresh) {
          add(at, i, out);
          break;
        }
      }
    }
    if (latin(text[i]) && (i == 0 || !latin(text[i - 1]))) {
      for (const View title : english_titles) {
        if (!at_word(text, i, title)) continue;
        const std::size_t at = i + title.size(), end = english_name(original, at);
        if (end > at) add(at, end, out);
      }
    }
  }
}

}  // namespace heng::insight_entities
