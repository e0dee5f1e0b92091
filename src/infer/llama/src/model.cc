#include "model.h"

#include <fmt/format.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "heng/base/clock.h"
#include "heng/base/hash.h"
#include "heng/base/log.h"
#include "heng/base/text.h"

namespace heng::infer {
namespace {

void route_log(ggml_log_level level, const char* message, void*) {
  if (level != GGML_LOG_LEVEL_WARN && level != GGML_LOG_LEVEL_ERROR) return;
  log::debug("llama", {{"message", std::string(text::trim(message))}});
}

Result<std::string> read_stamp(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string hex;
  if (!(file >> hex)) return Error(ErrorCode::not_found, fmt::format("{} cannot be read", path.string()), "path");
  if (hex.size() != 64 || !from_hex(hex).ok()) return Error(ErrorCode::corrupt, fmt::format("{} holds no SHA-256", path.string()), "path");
  return text::lower(hex);
}

std::filesystem::path stamp_path(const std::filesystem::path& path) { return path.string() + ".sha256"; }

void write_stamp(const std::filesystem::path& path, const std::string& hex) {
  const auto temporary = path.string() + ".new";
  std::ofstream(temporary) << hex << '\n';
  std::error_code ignored;  // a read-only folder only costs the time to hash again
  std::filesystem::rename(temporary, path, ignored);
  if (ignored) std::filesystem::remove(temporary, ignored);
}

}  // namespace

void start_llama() {
  static std::once_flag once;
  std::call_once(once, [] {
    llama_log_set(route_log, nullptr);
    llama_backend_init();
  });
}

int compute(llama_context* context, ThreadGovernor& governor, int wanted_threads, const std::function<int()>& call) {
  const auto begin = std::chrono::steady_clock::now();
  const int threads = governor.threads(wanted_threads, begin);
  llama_set_n_threads(context, threads, threads);
  const auto core_ms = [] {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
  };
  const double core_begin = core_ms();
  int code = -2;
  try {
    code = call();
  } catch (const std::exception& failure) {
    log::warn("computation failed", {{"reason", failure.what()}});
  }
  governor.report(threads, core_ms() - core_begin, elapsed_ms(begin), std::chrono::steady_clock::now());
  return code;
}

Result<std::string> model_file_sha256(const std::filesystem::path& path) {
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(path, error);
  if (error) return Error(ErrorCode::not_found, fmt::format("model file {} cannot be read", path.string()), "path");
  const auto stamped = std::filesystem::last_write_time(stamp_path(path), error);
  if (!error && stamped >= changed) {
    if (auto stamp = read_stamp(stamp_path(path)); stamp.ok()) return stamp;
  }
  auto hex = HENG_TRY(sha256_file(path));
  write_stamp(stamp_path(path), hex);
  return hex;
}

Result<void> verify_model_file(const std::filesystem::path& path) {
  const auto expected = HENG_TRY(read_stamp(stamp_path(path)));
  const auto found = HENG_TRY(sha256_file(path));
  if (found == expected) return {};
  return Error(ErrorCode::corrupt, fmt::format("{} has SHA-256 {}, its stamp says {}", path.string(), found, expected), "path");
}

Result<std::unique_ptr<Model>> Model::load(const LlamaSettings& settings) {
  start_llama();
  std::unique_ptr<Model> result(new Model());
  auto parameters = llama_model_default_params();
  parameters.n_gpu_layers = settings.gpu_layers < 0 ? 999 : settings.gpu_layers;
  try {
    result->model_.reset(llama_model_load_from_file(settings.path.c_str(), parameters));
  } catch (const std::exception& failure) {
    return Error(ErrorCode::corrupt, fmt::format("{} cannot be loaded: {}", settings.path.string(), failure.what()), "path");
  }
  if (!result->model_) {
    return Error(ErrorCode::unsupported, fmt::format("{} cannot be loaded: its architecture or tensors are not what this build knows", settings.path.string()), "path");
  }
  auto* model = result->model_.get();
  result->vocab_ = llama_model_get_vocab(model);
  if (llama_vocab_n_tokens(result->vocab_) <= 0) return Error(ErrorCode::unsupported, fmt::format("{} has no vocabulary", settings.path.string()), "path");
  result->can_share_ = !llama_model_is_recurrent(model) && !llama_model_is_hybrid(model);
  for (Token t = 0; t < result->vocabulary(); ++t) {
    if (result->is_end(t)) result->end_tokens_.push_back(t);
    if (!llama_vocab_is_control(result->vocab_, t)) continue;
    const std::string name = llama_vocab_get_text(result->vocab_, t);
    if (name.size() < 3) continue;
    result->control_names_.push_back(name);
    if (result->control_beginnings_.find(name[0]) == std::string::npos) result->control_beginnings_ += name[0];
  }
  for (const auto& adapter : settings.adapters) {
    HENG_TRY(read_gguf_header(adapter.path));
    Adapter loaded;
    loaded.scale = static_cast<float>(adapter.scale);
    loaded.sha256 = HENG_TRY(model_file_sha256(adapter.path));
    loaded.handle = llama_adapter_lora_init(model, adapter.path.c_str());
    if (!loaded.handle) return Error(ErrorCode::unsupported, fmt::format("adapter {} does not fit {}", adapter.path.string(), settings.path.string()), "adapters");
    result->adapters_[adapter.name] = loaded;
  }
  return result;
}

const Adapter* Model::adapter(const std::string& name) const {
  const auto found = adapters_.find(name);
  return found == adapters_.end() ? nullptr : &found->second;
}

std::vector<Token> Model::tokenize(std::string_view text, bool add_special, bool special) const {
  std::vector<Token> tokens(text.size() + 4);
  const int n = llama_tokenize(vocab_, text.data(), static_cast<std::int32_t>(text.size()), tokens.data(),
                               static_cast<std::int32_t>(tokens.size()), add_special, special);
  if (n < 0) {
    tokens.resize(static_cast<std::size_t>(-n));
    llama_tokenize(vocab_, text.data(), static_cast<std::int32_t>(text.size()), tokens.data(), -n, add_special, special);
  } else {
    tokens.resize(static_cast<std::size_t>(n));
  }
  return tokens;
}

std::string Model::piece(Token token, bool special) const {
  char buffer[256];
  const int n = llama_token_to_piece(vocab_, token, buffer, sizeof buffer, 0, special);
  if (n >= 0) return {buffer, static_cast<std::size_t>(n)};
  std::string larger(static_cast<std::size_t>(-n), '\0');
  llama_token_to_piece(vocab_, token, larger.data(), -n, 0, special);
  return larger;
}

std::string Model::without_control_tokens(std::string_view input) const {
  std::string out(input);
  if (out.find_first_of(control_beginnings_) == std::string::npos) return out;
  for (const auto& name : control_names_) {
    for (auto at = out.find(name); at != std::string::npos; at = out.find(name, at + name.size())) {
      out.insert(at + 1, "\u200b");  // invisible, and enough to make it ordinary text
    }
  }
  return out;
}

}  // namespace heng::infer
