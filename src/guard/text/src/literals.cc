#include "heng/guard_text/literals.h"

#include <mutex>

#include <hs.h>

namespace heng::guard_text {

struct Literals::Impl {
  hs_database_t* database = nullptr;
  hs_scratch_t* prototype = nullptr;
  std::mutex mutex;
  std::vector<hs_scratch_t*> spare;
  std::vector<std::size_t> lengths;

  ~Impl() {
    for (auto* scratch : spare) hs_free_scratch(scratch);
    if (prototype) hs_free_scratch(prototype);
    if (database) hs_free_database(database);
  }
  hs_scratch_t* take() {
    {
      const std::lock_guard lock(mutex);
      if (!spare.empty()) {
        auto* out = spare.back();
        spare.pop_back();
        return out;
      }
    }
    hs_scratch_t* out = nullptr;
    return hs_clone_scratch(prototype, &out) == HS_SUCCESS ? out : nullptr;
  }
  void give_back(hs_scratch_t* scratch) {
    const std::lock_guard lock(mutex);
    spare.push_back(scratch);
  }
};

Literals::Literals(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Literals::~Literals() = default;

Result<std::unique_ptr<Literals>> Literals::create(const std::vector<Literal>& literals) {
  auto impl = std::make_unique<Impl>();
  std::vector<const char*> texts;
  std::vector<unsigned> flags, ids;
  for (const auto& literal : literals) {
    if (literal.text.empty()) return Error(ErrorCode::invalid_argument, "an empty text to look for");
    ids.push_back(static_cast<unsigned>(texts.size()));
    texts.push_back(literal.text.data());
    flags.push_back(literal.any_case ? HS_FLAG_CASELESS : 0);
    impl->lengths.push_back(literal.text.size());
  }
  if (texts.empty()) return std::unique_ptr<Literals>(new Literals(std::move(impl)));
  hs_compile_error_t* error = nullptr;
  if (hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), impl->lengths.data(), static_cast<unsigned>(texts.size()), HS_MODE_BLOCK, nullptr,
                           &impl->database, &error) != HS_SUCCESS) {
    const std::string message = error ? error->message : "no reason given";
    hs_free_compile_error(error);
    return Error(ErrorCode::internal, "the texts to look for do not compile: " + message);
  }
  if (hs_alloc_scratch(impl->database, &impl->prototype) != HS_SUCCESS) return Error(ErrorCode::internal, "no memory for the pattern scanner");
  return std::unique_ptr<Literals>(new Literals(std::move(impl)));
}

Result<void> Literals::scan(std::string_view text, const Found& found) const {
  if (!impl_->database || text.empty()) return {};
  struct Call {
    const std::vector<std::size_t>& lengths;
    const Found& found;
  } call{impl_->lengths, found};
  hs_scratch_t* scratch = impl_->take();
  if (!scratch) return Error(ErrorCode::internal, "no memory for the pattern scanner");
  const auto on_match = [](unsigned id, unsigned long long, unsigned long long to, unsigned, void* context) {
    auto& c = *static_cast<Call*>(context);
    c.found(id, static_cast<std::size_t>(to) - c.lengths[id], static_cast<std::size_t>(to));
    return 0;
  };
  const auto done = hs_scan(impl_->database, text.data(), static_cast<unsigned>(text.size()), 0, scratch, on_match, &call);
  impl_->give_back(scratch);
  if (done != HS_SUCCESS) return Error(ErrorCode::internal, "the pattern scanner failed");
  return {};
}

}  // namespace heng::guard_text
