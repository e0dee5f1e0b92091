#include "forced_text.h"

#include <cmath>
#include <limits>

#include "heng/base/text.h"

namespace heng::infer {
namespace {

constexpr std::size_t forced_limit_bytes = 512;

}  // namespace

Result<std::unique_ptr<Grammar>> Grammar::create(const Model& model, const Source& source) {
  std::unique_ptr<Grammar> grammar(new Grammar(model));
  const Error bad(ErrorCode::invalid_argument, "the grammar cannot be read: check that it is valid GBNF with a rule named root", "grammar");
  try {
    if (source.lazy) {
      std::vector<const char*> patterns;
      for (const auto& pattern : source.trigger_patterns) patterns.push_back(pattern.c_str());
      grammar->sampler_.reset(llama_sampler_init_grammar_lazy_patterns(model.vocab(), source.text.c_str(), "root", patterns.data(),
                                                                       patterns.size(), source.trigger_tokens.data(), source.trigger_tokens.size()));
    } else {
      grammar->sampler_.reset(llama_sampler_init_grammar(model.vocab(), source.text.c_str(), "root"));
    }
  } catch (const std::exception&) {
    return bad;
  }
  if (!grammar->sampler_) return bad;
  for (int byte = 1; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const auto tokens = model.tokenize(std::string_view(&c, 1), false, false);
    for (Token token : tokens) {
      if (model.piece(token, false) != std::string(1, c)) continue;
      grammar->probes_.push_back({token, static_cast<float>(byte), 0});
      break;
    }
  }
  grammar->byte_probes_ = grammar->probes_.size();
  for (Token token : model.end_tokens()) grammar->probes_.push_back({token, 0, 0});
  for (Token token : source.already_said) {
    if (!grammar->accept(token)) return Error(ErrorCode::invalid_argument, "the grammar does not allow the beginning that the answer was given", "grammar");
  }
  return grammar;
}

void Grammar::filter(std::span<Candidate> candidates) {
  std::vector<llama_token_data> data(candidates.size());
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = {candidates[i].token, candidates[i].logit, 0};
  llama_token_data_array array{data.data(), data.size(), -1, false};
  llama_sampler_apply(sampler_.get(), &array);
  for (std::size_t i = 0; i < data.size(); ++i)
    if (std::isinf(data[i].logit)) candidates[i].logit = -std::numeric_limits<float>::infinity();
}

bool Grammar::accept(Token token) {
  try {
    llama_sampler_accept(sampler_.get(), token);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

std::string Grammar::forced_bytes(bool& complete) {
  std::string bytes;
  complete = false;
  Sampler ahead;
  while (bytes.size() < forced_limit_bytes) {
    auto probes = probes_;
    llama_token_data_array array{probes.data(), probes.size(), -1, false};
    llama_sampler_apply(ahead ? ahead.get() : sampler_.get(), &array);
    int allowed = 0;
    std::size_t last = 0;
    for (std::size_t i = 0; i < probes.size() && allowed < 2; ++i) {
      if (std::isinf(probes[i].logit)) continue;
      if (i >= byte_probes_) {  // an end token: several of them are one choice
        complete = allowed == 0;
        ++allowed;
        break;
      }
      ++allowed;
      last = i;
    }
    if (allowed != 1 || complete) break;
    if (!ahead) ahead.reset(llama_sampler_clone(sampler_.get()));
    try {
      llama_sampler_accept(ahead.get(), probes_[last].id);
    } catch (const std::exception&) {
      break;
    }
    bytes += static_cast<char>(static_cast<int>(probes_[last].logit));
  }
  return bytes;
}

Grammar::Forced Grammar::force(int limit_tokens) {
  Forced forced;
  auto bytes = forced_bytes(forced.complete);
  bytes.resize(text::complete_utf8_prefix(bytes));
  if (bytes.empty()) return forced;
  auto tokens = model_.tokenize(bytes, false, false);
  if (!forced.complete && !tokens.empty()) tokens.pop_back();
  if (static_cast<int>(tokens.size()) > limit_tokens) {
    tokens.resize(static_cast<std::size_t>(std::max(0, limit_tokens)));
    forced.complete = false;
  }
  for (Token token : tokens) {
    if (!accept(token)) {
      forced.complete = false;
      break;
    }
    forced.tokens.push_back(token);
  }
  return forced;
}

}  // namespace heng::infer
