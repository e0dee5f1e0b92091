#include "heng/audit/record.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace heng::audit {

namespace {

using Json = nlohmann::json;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json json_of(const AuditOpen& o) {
  return {{"request", o.request.value},
          {"time_ms", o.time_ms},
          {"principal", {{"tenant", o.principal.tenant.value}, {"user", o.principal.user.value}, {"key", o.principal.key.value},
                         {"roles", o.principal.roles}, {"purpose", o.principal.purpose}, {"desk", o.principal.desk},
                         {"data_subject", o.principal.data_subject}}},
          {"action", o.action},
          {"subject", o.subject},
          {"resource", o.resource}};
}

Json json_of(const Sampling& s) {
  return {{"temperature", finite(s.temperature)}, {"top_k", s.top_k}, {"top_p", finite(s.top_p)}, {"min_p", finite(s.min_p)},
          {"repeat_penalty", finite(s.repeat_penalty)}, {"frequency_penalty", finite(s.frequency_penalty)},
          {"presence_penalty", finite(s.presence_penalty)}, {"seed", s.seed}, {"logit_bias", s.logit_bias}};
}

Json json_of(const AuditClose& c) {
  Json passages = Json::array(), verdicts = Json::array(), tools = Json::array();
  for (const auto& p : c.passages) passages.push_back({{"chunk", p.chunk.value}, {"sha256", p.sha256}, {"document", p.document}, {"page", p.page}, {"citation", p.citation}});
  for (const auto& v : c.verdicts) verdicts.push_back({{"rule", v.rule}, {"version", v.version}, {"verdict", v.verdict}, {"detail", v.detail}});
  for (const auto& t : c.tools) tools.push_back({{"name", t.name}, {"input", t.input}, {"output", t.output}});
  Json tokens = Json::array(), logprobs = Json::array(), forced = Json::array();
  for (std::size_t i = 0; i < c.output_tokens.size(); ++i) {
    tokens.push_back(c.output_tokens[i].token);
    logprobs.push_back(finite(c.output_tokens[i].logprob));
    if (c.output_tokens[i].forced) forced.push_back(i);
  }
  return {{"time_ms", c.time_ms}, {"outcome", c.outcome}, {"passages", std::move(passages)}, {"prompt_sha256", c.prompt_sha256},
          {"model", c.model}, {"model_sha256", c.model_sha256}, {"lora_sha256", c.lora_sha256}, {"sampling", json_of(c.sampling)},
          {"prompt_tokens", c.prompt_tokens}, {"output_tokens", std::move(tokens)}, {"output_logprobs", std::move(logprobs)},
          {"output_forced", std::move(forced)}, {"tools", std::move(tools)}, {"verdicts", std::move(verdicts)}, {"output", c.output},
          {"usage", {{"prompt_tokens", c.usage.prompt_tokens}, {"cached_tokens", c.usage.cached_tokens}, {"completion_tokens", c.usage.completion_tokens}}},
          {"total_ms", finite(c.total_ms)}};
}

}  // namespace

std::string encode_open(const AuditOpen& opened) { return dump({{"open", json_of(opened)}}); }
std::string encode_close(const AuditClose& closed) { return dump({{"close", json_of(closed)}}); }
std::string encode_note(const AuditOpen& opened, const AuditClose& closed) { return dump({{"open", json_of(opened)}, {"close", json_of(closed)}}); }

Result<Replayable> decode_replayable(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return Error(ErrorCode::corrupt, "the record is not a JSON object");
  if (!json.contains("close")) return Error(ErrorCode::unsupported, "the record is not closed: there is no output to replay");
  Replayable out;
  try {
    const Json& c = json.at("close");
    out.model = c.at("model").get<std::string>();
    out.model_sha256 = c.at("model_sha256").get<std::string>();
    out.lora_sha256 = c.at("lora_sha256").get<std::string>();
    out.prompt_tokens = c.at("prompt_tokens").get<std::vector<std::int32_t>>();
    out.output_tokens = c.at("output_tokens").get<std::vector<std::int32_t>>();
    for (const Json& value : c.at("output_logprobs")) out.logprobs.push_back(value.is_null() ? -std::numeric_limits<double>::infinity() : value.get<double>());
    const Json& s = c.at("sampling");
    const auto number = [&](const char* name, double fallback) { return s.at(name).is_null() ? fallback : s.at(name).get<double>(); };
    out.sampling.temperature = number("temperature", 0);
    out.sampling.top_k = s.at("top_k").get<int>();
    out.sampling.top_p = number("top_p", 1);
    out.sampling.min_p = number("min_p", 0);
    out.sampling.seed = s.at("seed").get<std::uint64_t>();
  } catch (const Json::exception&) {
    return Error(ErrorCode::corrupt, "the record lacks a field that a replay needs");
  }
  if (out.output_tokens.empty() || out.prompt_tokens.empty()) {
    return Error(ErrorCode::unsupported, "the record holds no tokens: no model wrote this answer");
  }
  if (out.logprobs.size() != out.output_tokens.size()) return Error(ErrorCode::corrupt, "the record's tokens and probabilities differ in number");
  return out;
}

}  // namespace heng::audit
