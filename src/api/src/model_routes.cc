#include <fmt/format.h>

#include <cstring>

#include "chat_shape.h"
#include "context.h"
#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "json_parts.h"

namespace heng::api {
namespace {

struct ParsedEmbedding {
  EmbedRequest request;
  bool base64 = false;
  std::int64_t dimensions = 0;  ///< Asked for; 0: not said.
};

Result<ParsedEmbedding> parse_embedding(const std::string& body, int most_inputs) {
  const auto json = HENG_TRY(parse_object(body));
  const Fields fields(json);
  ParsedEmbedding out;
  out.request.model = HENG_TRY(fields.required_text("model", 256));
  const auto format = HENG_TRY(fields.text("encoding_format", 64)).value_or("float");
  if (format != "float" && format != "base64") return fields.wrong("encoding_format", "\"float\" or \"base64\"");
  out.base64 = format == "base64";
  out.dimensions = HENG_TRY(fields.integer("dimensions", 1, INT32_MAX)).value_or(0);
  HENG_TRY(fields.text("user", 1024));
  const auto* heng = HENG_TRY(fields.object("heng"));
  if (heng != nullptr) {
    const Fields inner(*heng, "heng");
    const auto kind = HENG_TRY(inner.text("kind", 64)).value_or("passage");
    if (kind != "query" && kind != "passage") return inner.wrong("kind", "\"query\" or \"passage\"");
    out.request.kind = kind == "query" ? EmbedKind::query : EmbedKind::passage;
  }
  const auto* input = fields.find("input");
  if (input != nullptr && input->is_string()) {
    out.request.texts.push_back(input->get<std::string>());
  } else if (input != nullptr && input->is_array()) {
    if (static_cast<int>(input->size()) > most_inputs)
      return Error(ErrorCode::invalid_argument, fmt::format("'input' has {} texts, the limit is {}", input->size(), most_inputs), "input");
    for (const auto& text : *input) {
      if (text.is_number_integer()) return Error(ErrorCode::unsupported, "'input' holds token ids; send texts", "input");
      if (!text.is_string()) return fields.wrong("input", "a string or an array of strings");
      out.request.texts.push_back(text.get<std::string>());
    }
  } else {
    return fields.wrong("input", "a string or an array of strings");
  }
  if (out.request.texts.empty()) return Error(ErrorCode::invalid_argument, "'input' is empty", "input");
  for (const auto& text : out.request.texts)
    if (text.empty()) return Error(ErrorCode::invalid_argument, "'input' holds an empty text", "input");
  return out;
}

Json vector_value(const std::vector<float>& vector, bool base64) {
  if (!base64) return vector;
  static_assert(sizeof(float) == 4);
  return to_base64(std::string_view(reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)));
}

http::Response embed(Api& api, const http::Request& request, const Principal& principal, const ParsedEmbedding& parsed,
                     std::stop_token stop) {
  std::string subject;
  for (const auto& text : parsed.request.texts) subject += text + "\n";
  const auto ticket = api.open_record(request, principal, "embeddings", parsed.request.model, sha256_hex(subject));
  if (!ticket) return api.fail(request, ticket.error());
  const auto began = std::chrono::steady_clock::now();
  const auto result = api.services.inference.embed(parsed.request, stop);
  AuditClose close;
  close.outcome = result ? "ok" : outcome_of(result.error());
  close.prompt_sha256 = sha256_hex(subject);
  if (result) {
    close.model = result->model;
    close.model_sha256 = result->model_sha256;
    close.usage.prompt_tokens = result->tokens;
  }
  close.total_ms = elapsed_ms(began);
  const auto closed = api.close_record(*ticket, std::move(close));
  if (!result) return api.fail(request, result.error());
  if (!closed) return api.fail(request, closed.error());
  api.services.identity.spend_tokens(principal, result->tokens);
  Usage usage;
  usage.prompt_tokens = result->tokens;
  api.metrics.tokens(result->model, usage);

  Json data = Json::array();
  for (std::size_t i = 0; i < result->vectors.size(); ++i)
    data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", vector_value(result->vectors[i], parsed.base64)}});
  const Json out{{"object", "list"}, {"data", std::move(data)}, {"model", result->model},
                 {"usage", {{"prompt_tokens", result->tokens}, {"total_tokens", result->tokens}}},
                 {"heng", {{"audit_index", ticket->index}, {"model_sha256", result->model_sha256}}}};
  return json_response(200, out, ticket->index);
}

}  // namespace

http::Step answer_embedding(Api& api, http::Request& request, const Principal& principal, Priority priority) {
  auto parsed = parse_embedding(request.body, api.settings.embedding_inputs);
  if (!parsed) return api.fail(request, parsed.error());
  auto model = find_model(api, parsed->request.model, ModelInfo::Kind::embedding);
  if (!model) return api.fail(request, model.error());
  if (parsed->dimensions != 0 && parsed->dimensions != model->dimensions)
    return api.fail(request, Error(ErrorCode::unsupported,
                                   fmt::format("'dimensions' is {}, the model {} makes {} and cannot be cut; leave the field out",
                                               parsed->dimensions, model->name, model->dimensions), "dimensions"));
  parsed->request.priority = priority;
  parsed->request.deadline = std::chrono::steady_clock::now() + api.settings.request_time;
  http::Work work;
  work.run = [&api, &request, principal, parsed = std::move(*parsed)](http::Stream&, std::stop_token stop) {
    return embed(api, request, principal, parsed, stop);
  };
  return work;
}

namespace {

Json kb_model(const std::string& name) {
  return {{"id", "heng/kb:" + name}, {"object", "model"}, {"created", 0}, {"owned_by", "heng"}, {"heng", {{"kind", "knowledge_base"}}}};
}

http::Step list_models(Api& api, http::Request& request, const Principal& principal) {
  Json data = Json::array();
  for (const auto& model : api.services.inference.models()) data.push_back(model_value(model));
  const auto bases = api.services.knowledge.list(principal);
  if (!bases) return api.fail(request, bases.error());
  for (const auto& kb : *bases) data.push_back(kb_model(kb.name.value));
  return json_response(200, {{"object", "list"}, {"data", std::move(data)}});
}

http::Step get_model(Api& api, http::Request& request, const Principal& principal) {
  const std::string name(request.param("model"));
  for (const auto& model : api.services.inference.models())
    if (model.name == name) return json_response(200, model_value(model));
  const auto bases = api.services.knowledge.list(principal);
  if (!bases) return api.fail(request, bases.error());
  for (const auto& kb : *bases)
    if ("heng/kb:" + kb.name.value == name) return json_response(200, kb_model(kb.name.value));
  return api.fail(request, Error(ErrorCode::not_found, fmt::format("there is no model '{}'; GET /v1/models lists them", name), "model"));
}

}  // namespace

void add_model_routes(Routes& routes, Api& api) {
  add(routes, api, "GET", "/v1/models", access::Action::kb_list, Counts::no, list_models);
  add(routes, api, "GET", "/v1/models/{model...}", access::Action::kb_list, Counts::no, get_model);
  add(routes, api, "POST", "/v1/embeddings", access::Action::embed, Counts::yes,
      [](Api& a, http::Request& request, const Principal& principal) { return answer_embedding(a, request, principal, Priority::interactive); });
}

}  // namespace heng::api
