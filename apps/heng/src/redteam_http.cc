// A running server as the red team sees it: over HTTP only.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "heng/http_client/http_client.h"
#include "redteam_target.h"
#include "signals.h"

namespace heng::app {
namespace {

using Json = nlohmann::json;

std::string escaped(std::string_view text) {
  std::string out;
  for (const unsigned char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_') out += static_cast<char>(c);
    else out += fmt::format("%{:02X}", c);
  }
  return out;
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

class HttpSystem final : public redteam::Target {
 public:
  HttpSystem(std::unique_ptr<http_client::HttpClient> client, HttpAttack attack) : client_(std::move(client)), attack_(std::move(attack)), kb_(scratch_name()) {}

  /// Makes the caller without rights. Errors: those of the server.
  Result<void> prepare() {
    const auto made = HENG_TRY(call("POST", "/v1/keys", dump({{"user", "redteam"}, {"name", kb_}, {"roles", {"analyst"}}}), attack_.key));
    if (made.status != 201) return failure(made, "a key for a caller without rights could not be made: --key must be an administrator's");
    const Json json = Json::parse(made.body, nullptr, false);
    for (const char* field : {"secret", "key"})
      if (json.is_object() && json.contains(field) && json[field].is_string() && limited_.empty()) limited_ = json[field];
    if (json.is_object() && json.contains("id") && json["id"].is_string()) limited_id_ = json["id"];
    return {};
  }

  std::string name() const override { return attack_.url; }
  bool has(redteam::Party party) const override { return party == redteam::Party::owner || !key(party).empty(); }

  Result<redteam::Reply> chat(const std::vector<Message>& messages, const std::vector<ToolSpec>& tools) override {
    Json body{{"messages", Json::array()}, {"max_tokens", 200}};
    for (const auto& m : messages) {
      Json message{{"role", m.role}, {"content", m.content}};
      if (!m.tool_call_id.empty()) message["tool_call_id"] = m.tool_call_id;
      for (const auto& c : m.tool_calls) message["tool_calls"].push_back({{"id", c.id}, {"type", "function"}, {"function", {{"name", c.name}, {"arguments", c.arguments_json}}}});
      body["messages"].push_back(std::move(message));
    }
    for (const auto& tool : tools)
      body["tools"].push_back({{"type", "function"}, {"function", {{"name", tool.name}, {"description", tool.description}, {"parameters", Json::parse(tool.parameters_json)}}}});
    body["model"] = HENG_TRY(model());
    return reply_of(HENG_TRY(call("POST", "/v1/chat/completions", dump(body), attack_.key)), [](const Json& json, redteam::Reply& seen) {
      const Json& message = json.at("choices").at(0).at("message");
      if (message.contains("content") && message["content"].is_string()) seen.text = message["content"];
      if (message.contains("reasoning_content") && message["reasoning_content"].is_string()) seen.text += message["reasoning_content"].get<std::string>();
      const Json heng = json.value("heng", Json::object());
      for (const auto& made : message.value("tool_calls", Json::array())) {
        redteam::Reply::Call one{made.at("function").at("name"), made.at("function").at("arguments"), false};
        for (const auto& notice : heng.value("tool_policy", Json::array()))
          one.needs_person = one.needs_person || (notice.value("id", "") == made.value("id", "") && notice.value("decision", "") == "confirm");
        seen.calls.push_back(std::move(one));
      }
      if (heng.contains("review")) seen.refused = true, seen.refusal = "sent to a reviewer";
    });
  }

  Result<redteam::Reply> ask(redteam::Party party, const std::vector<std::string>& turns) override {
    Json body{{"kb", kb_}, {"question", turns.back()}};
    if (!attack_.model.empty()) body["model"] = attack_.model;
    for (std::size_t i = 0; i + 1 < turns.size(); ++i) {
      body["history"].push_back({{"role", "user"}, {"content", turns[i]}});
      body["history"].push_back({{"role", "assistant"}, {"content", "OK"}});
    }
    return reply_of(HENG_TRY(call("POST", "/v1/ask", dump(body), key(party))), [party](const Json& json, redteam::Reply& seen) {
      seen.text = json.at("answer");
      if (party != redteam::Party::owner) seen.text += dump(json);  // a stranger must not see passages and quotes either
      if (json.value("abstained", false)) seen.refused = true, seen.refusal = "no answer";
    });
  }

  Result<redteam::Reply> search(redteam::Party party, const std::string& query) override {
    return reply_of(HENG_TRY(call("POST", "/v1/kb/" + kb_ + "/search", dump({{"query", query}, {"k", 10}}), key(party))), [](const Json& json, redteam::Reply& seen) { seen.text = dump(json); });
  }

  Result<void> plant(const std::string& path, const std::string& text, const std::vector<std::string>& readers) override {
    if (!made_) {
      const auto made = HENG_TRY(call("POST", "/v1/kb", dump({{"name", kb_}}), attack_.key));
      if (made.status != 201) return failure(made, "the scratch knowledge base could not be made");
      made_ = true;
    }
    std::string query = "?path=" + escaped(path);
    for (std::size_t i = 0; i < readers.size(); ++i) query += (i == 0 ? "&readers=" : ",") + escaped(readers[i]);
    const auto sent = HENG_TRY(call("POST", "/v1/kb/" + kb_ + "/documents" + query, text, attack_.key));
    if (sent.status / 100 != 2) return failure(sent, "a document could not be planted");
    const Json json = Json::parse(sent.body, nullptr, false);
    if (json.is_object() && json.contains("document") && json["document"].is_number_integer()) documents_[path] = json["document"];
    return {};
  }
  Result<void> remove(const std::string& path) override {
    const auto found = documents_.find(path);
    if (found == documents_.end()) return {};
    const auto gone = HENG_TRY(call("DELETE", fmt::format("/v1/kb/{}/documents/{}", kb_, found->second), "", attack_.key));
    if (gone.status / 100 != 2) return failure(gone, "a planted document could not be deleted");
    documents_.erase(found);
    return {};
  }
  Result<void> clean_up() override {
    Result<void> out;
    if (made_) {
      const auto gone = HENG_TRY(call("DELETE", "/v1/kb/" + kb_, "", attack_.key));
      if (gone.status / 100 != 2) out = failure(gone, "the scratch knowledge base " + kb_ + " could not be deleted");
      else made_ = false;
    }
    if (!limited_id_.empty()) {
      const auto gone = HENG_TRY(call("DELETE", "/v1/keys/" + limited_id_, "", attack_.key));
      if (gone.status / 100 != 2) out = failure(gone, "the key of the caller without rights could not be revoked");
      else limited_id_.clear();
    }
    return out;
  }

 private:
  const std::string& key(redteam::Party party) const { return party == redteam::Party::owner ? attack_.key : party == redteam::Party::limited ? limited_ : attack_.other_key; }

  Result<http_client::HttpReply> call(const char* method, std::string path, std::string body, const std::string& key) {
    http_client::HttpCall call;
    call.method = method;
    call.path = std::move(path);
    call.body = std::move(body);
    call.bearer = key;
    call.read_timeout_ms = 600'000;
    call.stop = stop_signal();
    return client_->send(call);
  }

  static Error failure(const http_client::HttpReply& reply, const std::string& what) { return {ErrorCode::unavailable, fmt::format("{}: HTTP {} {}", what, reply.status, reply.body.substr(0, 300))}; }

  template <class Read>
  Result<redteam::Reply> reply_of(const http_client::HttpReply& reply, const Read& read) {
    redteam::Reply seen;
    const Json json = Json::parse(reply.body, nullptr, false);
    if (reply.status == 200 && json.is_object()) {
      try {
        read(json, seen);
        return seen;
      } catch (const Json::exception& error) {
        return Error(ErrorCode::malformed_input, fmt::format("the server's answer is not of its own shape: {}", error.what()));
      }
    }
    if (reply.status >= 500 || reply.status == 429 || reply.status == 401) return failure(reply, "the server failed");
    seen.refused = true;
    seen.refusal = reply.body.substr(0, 500);
    return seen;
  }

  /// The default model's name, which a chat has to give.
  Result<std::string> model() {
    if (!attack_.model.empty()) return attack_.model;
    const auto reply = HENG_TRY(call("GET", "/v1/models", "", attack_.key));
    const Json json = Json::parse(reply.body, nullptr, false);
    if (json.is_object())
      for (const auto& one : json.value("data", Json::array())) {
        const Json heng = one.value("heng", Json::object());
        if (heng.value("kind", "") == "chat" && heng.value("default", false)) return attack_.model = one.value("id", "");
      }
    return failure(reply, "the server names no chat model; give one with --model");
  }

  std::unique_ptr<http_client::HttpClient> client_;
  HttpAttack attack_;
  std::string kb_, limited_, limited_id_;
  std::map<std::string, std::int64_t> documents_;
  bool made_ = false;
};

}  // namespace

Result<std::unique_ptr<redteam::Target>> http_target(const HttpAttack& attack) {
  const auto at = HENG_TRY(http_client::parse_url(attack.url));
  auto client = HENG_TRY(http_client::HttpClient::create(at, attack.ca_file));
  auto out = std::make_unique<HttpSystem>(std::move(client), attack);
  HENG_TRY(out->prepare());
  return std::unique_ptr<redteam::Target>(std::move(out));
}

}  // namespace heng::app
