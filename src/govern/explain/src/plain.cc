#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "sections.h"

namespace heng::explain {
namespace {

using Json = nlohmann::ordered_json;

std::string shown(const Json& value) {
  if (value.is_null()) return "–";
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The page's parts in one language.
class Writer {
 public:
  Writer(const Json& json, bool chinese) : json_(json), chinese_(chinese) {}

  Page page() const {
    Page out;
    out.title = fmt::format("{} {}", say("Why record", "审计记录说明"), shown(json_.value("index", Json())));
    out.label = shown(json_["ai_content"]["text"][chinese_ ? "zh" : "en"]);
    out.label_metadata = Json{{"AIGC", json_["ai_content"]["AIGC"]}}.dump();
    out.sections = {asked(), answered(), passages(), verdicts(), tools(), model(), people(), proof()};
    return out;
  }

 private:
  const char* say(const char* english, const char* chinese) const { return chinese_ ? chinese : english; }
  std::string get(const char* name) const { return json_.contains(name) ? shown(json_[name]) : ""; }
  static std::string get(const Json& object, const char* name) { return object.is_object() && object.contains(name) ? shown(object[name]) : ""; }

  Section asked() const {
    const Json who = json_.value("who", Json::object());
    std::string roles;
    for (const auto& role : who.value("roles", Json::array())) roles += (roles.empty() ? "" : ", ") + shown(role);
    return {say("Who asked what", "何人何问"),
            {{say("question", "问题"), get("question"), ""}, {say("time", "时间"), get("time"), ""},
             {say("user", "用户"), get(who, "user"), fmt::format("{} {} · {} {} · {} {} · {} {} · {} {}", say("tenant", "租户"), get(who, "tenant"), say("desk", "部门"), get(who, "desk"),
                                                                  say("roles", "角色"), roles, say("purpose", "用途"), get(who, "purpose"), say("key", "密钥"), get(who, "key"))},
             {say("action", "动作"), get("action"), get("resource")}, {say("request", "请求"), get("request"), ""}}};
  }
  Section answered() const {
    return {say("Answer", "回答"), {{say("outcome", "结果"), get("outcome"), json_.value("erased", false) ? say("the contents were erased", "内容已删除") : ""}, {say("text", "文本"), get("answer"), ""}}};
  }
  Section passages() const {
    Section out{say("Passages read", "所读段落"), {}};
    for (const auto& p : json_["passages"]) {
      const std::string now = get(p, "now");
      const char* state = now == "same"      ? say("still the same", "现仍一致")
                          : now == "changed" ? say("CHANGED since", "此后已变更")
                          : now == "gone"    ? say("gone, or not readable for you", "已删除或无权查看")
                                             : say("not looked up", "未核对");
      const bool cited = p.value("citation", 0) > 0;
      out.rows.push_back({fmt::format("{}{} · {} {}", cited ? fmt::format("[{}] ", p.value("citation", 0)) : "", get(p, "document"), say("page", "页"), get(p, "page")), get(p, "text"),
                          fmt::format("sha256 {} · {}", get(p, "sha256"), state)});
    }
    return out;
  }
  Section verdicts() const {
    Section out{say("Rules and verdicts", "规则与裁定"), {}};
    for (const auto& v : json_["verdicts"]) out.rows.push_back({fmt::format("{} {}", get(v, "rule"), get(v, "version")), get(v, "verdict"), get(v, "detail")});
    return out;
  }
  Section tools() const {
    Section out{say("Tools and figures", "工具与数字"), {}};
    for (const auto& t : json_["tools"]) out.rows.push_back({get(t, "name"), get(t, "output"), get(t, "input")});
    for (const auto& v : json_["verdicts"])
      if (get(v, "rule") == "figure") out.rows.push_back({get(v, "verdict"), get(v, "detail"), ""});
    return out;
  }
  Section model() const {
    const Json m = json_.value("model", Json::object());
    Section out{say("Model and versions", "模型与版本"),
                {{say("model", "模型"), get(m, "name"), "sha256 " + get(m, "sha256")}, {say("adapter", "适配器"), get(m, "adapter_sha256").empty() ? "–" : "sha256 " + get(m, "adapter_sha256"), ""},
                 {say("prompt", "提示"), "sha256 " + get(m, "prompt_sha256"), ""}, {say("sampling", "采样"), get("sampling"), ""},
                 {say("tokens", "词元"), get("usage"), ""}, {say("time taken", "用时"), get("total_ms") + " ms", ""},
                 {say("replay", "重放"), json_.value("replayable", false) ? fmt::format("heng audit replay {}", get("opened_index")) : say("nothing to replay", "无可重放内容"), ""},
                 {say("program", "程序"), "heng " + get(json_["versions"], "heng"), ""}}};
    return out;
  }
  Section people() const {
    Section out{say("People", "人员"), {}};
    for (const auto& review : json_["people"]["reviews"]) {
      out.rows.push_back({fmt::format("{} {}", say("review", "复核"), get(review, "id")), get(review, "state"), fmt::format("{} · {} · sha256 {}", get(review, "rule"), get(review, "reason"), get(review, "sha256"))});
      for (const auto& vote : review["votes"]) out.rows.push_back({get(vote, "reviewer"), get(vote, "decision"), fmt::format("{} · {}", get(vote, "time"), get(vote, "reason"))});
    }
    for (const auto& rating : json_["people"]["ratings"])
      out.rows.push_back({get(rating, "user"), rating.value("stars", 0) > 0 ? say("good", "好评") : say("bad", "差评"), get(rating, "comment")});
    return out;
  }
  Section proof() const {
    Section out{say("Proof", "证明"), {}};
    for (const auto& p : json_["proof"]) {
      if (get(p, "status") == "included") {
        out.rows.push_back({fmt::format("{} {}", say("record", "记录"), get(p, "index")), fmt::format("{} {}", say("stands in the ledger of size", "包含于账本，规模"), get(p, "size")),
                            fmt::format("{} {} · {} {}", say("leaf", "叶"), get(p, "leaf"), say("root", "根"), get(p, "root"))});
      } else {
        out.rows.push_back({say("proof", "证明"), say("FAILED", "失败"), get(p, "message")});
      }
    }
    return out;
  }

  const Json& json_;
  bool chinese_;
};

}  // namespace

Page page_of(const std::string& explanation, Wording wording) {
  const Json json = Json::parse(explanation);  // our own text
  return Writer(json, wording == Wording::chinese).page();
}

std::string plain(const std::string& explanation, Wording wording) {
  const Page page = page_of(explanation, wording);
  std::string out = fmt::format("{}\n{}\n", page.title, page.label);
  for (const auto& section : page.sections) {
    out += fmt::format("\n{}\n", section.title);
    if (section.rows.empty()) out += "  –\n";
    for (const auto& row : section.rows) {
      out += fmt::format("  {}: {}\n", row.name, row.value);
      if (!row.detail.empty()) out += fmt::format("    {}\n", row.detail);
    }
  }
  return out;
}

}  // namespace heng::explain
