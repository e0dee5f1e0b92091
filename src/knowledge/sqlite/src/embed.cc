#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

#include "heng/base/log.h"
#include "impl.h"

namespace heng::knowledge_sqlite {
namespace {

constexpr int most_overloads = 200;
constexpr auto pause = std::chrono::milliseconds(150);

struct Batch {
  std::vector<std::int64_t> ids;
  std::vector<std::string> texts;
};

struct Counts {
  int done = 0, total = 0, pending = 0;
};

Result<Counts> count(store::Pool& pool, std::int64_t kb_id) {
  auto lease = HENG_TRY(pool.reader());
  Counts counts;
  counts.pending = static_cast<int>(HENG_TRY(lease->query_integer("SELECT count(*) FROM chunk_pending WHERE kb_id = ?1", kb_id)));
  counts.total = static_cast<int>(HENG_TRY(lease->query_integer("SELECT count(*) FROM chunk WHERE kb_id = ?1", kb_id)));
  counts.done = counts.total - counts.pending;
  return counts;
}

/// Takes chunks nobody works on; another worker may have them again once the claim has run out.
Result<Batch> claim(store::Pool& pool, std::int64_t kb_id, int most, std::int64_t now_ms, std::int64_t until_ms) {
  auto lease = HENG_TRY(pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*lease));
  Batch batch;
  auto rows = HENG_TRY(lease->prepare("SELECT p.chunk_id, d.title, c.heading, c.context, c.text FROM chunk_pending p JOIN chunk c ON c.id = "
                                      "p.chunk_id JOIN document d ON d.id = c.document_id WHERE p.kb_id = ?1 AND p.claimed_until_ms < ?2 "
                                      "ORDER BY p.claimed_until_ms, p.chunk_id LIMIT ?3"));
  rows.bind_all(kb_id, now_ms, most);
  while (HENG_TRY(rows.step())) {
    batch.ids.push_back(rows.integer(0));
    batch.texts.push_back(knowledge::embedding_text(rows.text(1), rows.text(2), rows.text(3), rows.text(4)));
  }
  rows.reset();
  for (const auto id : batch.ids) HENG_TRY(lease->run("UPDATE chunk_pending SET claimed_until_ms = ?2 WHERE chunk_id = ?1", id, until_ms));
  HENG_TRY(transaction.commit());
  return batch;
}

Result<void> give_back(store::Pool& pool, const Batch& batch) {
  auto lease = HENG_TRY(pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*lease));
  for (const auto id : batch.ids) HENG_TRY(lease->run("UPDATE chunk_pending SET claimed_until_ms = 0 WHERE chunk_id = ?1", id));
  return transaction.commit();
}

Error other_model(const KbRow& kb, const EmbedResult& embedded) {
  return Error(ErrorCode::conflict, fmt::format("knowledge base \"{}\" has vectors of model \"{}\" (sha256 {}…); the loaded one has sha256 {}…. "
                                                "Vectors of two models are not mixed: rebuild the knowledge base with its vectors",
                                                kb.name, kb.model, kb.model_sha256.substr(0, 12), embedded.model_sha256.substr(0, 12)));
}

Result<void> store_vectors(store::Pool& pool, std::int64_t kb_id, std::int64_t epoch, const Batch& batch, const EmbedResult& embedded) {
  if (embedded.vectors.size() != batch.ids.size() || embedded.vectors.empty())
    return Error(ErrorCode::internal, fmt::format("the engine gave {} vectors for {} texts", embedded.vectors.size(), batch.ids.size()));
  auto lease = HENG_TRY(pool.writer());
  auto transaction = HENG_TRY(store::Transaction::begin(*lease));
  const KbRow kb = HENG_TRY(kb_by_id(*lease, kb_id));
  if (kb.epoch != epoch) return {};  // rebuilt meanwhile: these chunks are pending anew
  const auto dimensions = static_cast<std::int64_t>(embedded.vectors[0].size());
  if (kb.model_sha256.empty()) {
    HENG_TRY(lease->run("UPDATE kb SET embedding_sha256 = ?2, dimensions = ?3 WHERE id = ?1", kb_id, embedded.model_sha256, dimensions));
  } else if (kb.model_sha256 != embedded.model_sha256 || kb.dimensions != dimensions) {
    return other_model(kb, embedded);
  }
  auto row = HENG_TRY(lease->prepare("INSERT INTO chunk_vector (chunk_id, kb_id, halves) SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM "
                                     "chunk_pending WHERE chunk_id = ?1)"));
  for (std::size_t i = 0; i < batch.ids.size(); ++i) {
    if (static_cast<std::int64_t>(embedded.vectors[i].size()) != dimensions)
      return Error(ErrorCode::internal, "the engine gave vectors of different dimensions");
    row.reset();
    row.bind_all(batch.ids[i], kb_id);
    row.bind_blob(3, pack_halves(embedded.vectors[i]));
    HENG_TRY(row.run());
    HENG_TRY(lease->run("DELETE FROM chunk_pending WHERE chunk_id = ?1", batch.ids[i]));
  }
  HENG_TRY(raise_generation(*lease, kb_id, false));
  return transaction.commit();
}

Result<EmbedResult> embed(Inference& inference, const std::string& model, std::vector<std::string> texts, std::stop_token stop) {
  EmbedRequest request;
  request.model = model;
  request.kind = EmbedKind::passage;
  request.priority = Priority::batch;
  request.texts = std::move(texts);
  for (int overloads = 0;; ++overloads) {
    auto embedded = inference.embed(request, stop);
    if (embedded.ok() || embedded.error().code != ErrorCode::overloaded || overloads >= most_overloads) return embedded;
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "embedding was cancelled");
    std::this_thread::sleep_for(pause);
  }
}

/// Texts one by one, shortened until the model takes them: our estimate of tokens is only an estimate.
Result<EmbedResult> embed_singly(Inference& inference, const std::string& model, const std::vector<std::string>& texts, std::stop_token stop) {
  EmbedResult all;
  for (const auto& text : texts) {
    int tokens = 400;
    for (;;) {
      auto one = embed(inference, model, {std::string(knowledge::cut_to_tokens(text, tokens))}, stop);
      if (!one.ok()) {
        if (one.error().code != ErrorCode::too_large || tokens < 50) return one.error();
        tokens = tokens * 2 / 3;
        continue;
      }
      if (one->vectors.size() != 1) return Error(ErrorCode::internal, "the engine gave no vector for a text");
      all.vectors.push_back(std::move(one->vectors[0]));
      all.model = one->model;
      all.model_sha256 = one->model_sha256;
      break;
    }
  }
  return all;
}

}  // namespace

bool KnowledgeBase::Impl::has_model(const std::string& name) const {
  if (inference == nullptr) return false;
  const auto models = inference->models();
  return std::any_of(models.begin(), models.end(), [&](const auto& m) { return m.name == name && m.kind == ModelInfo::Kind::embedding; });
}

Result<void> KnowledgeBase::Impl::embed_pending(std::int64_t kb_id, const std::function<void(int, int)>& progress, std::stop_token stop) {
  if (inference == nullptr) return Error(ErrorCode::unavailable, "no embedding model is loaded");
  for (;;) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "embedding was cancelled");
    KbRow kb;
    {
      auto lease = HENG_TRY(pool.reader());
      kb = HENG_TRY(kb_by_id(*lease, kb_id));
    }
    const auto now = clock.unix_ms();
    auto batch = HENG_TRY(claim(pool, kb_id, settings.embed_batch, now, now + std::int64_t{settings.claim_seconds} * 1000));
    if (batch.ids.empty()) {
      const auto counts = HENG_TRY(count(pool, kb_id));
      if (counts.pending == 0) {
        if (progress) progress(counts.total, counts.total);
        return {};
      }
      std::this_thread::sleep_for(pause);  // another worker has the rest
      continue;
    }
    auto embedded = embed(*inference, kb.model, batch.texts, stop);
    if (!embedded.ok() && embedded.error().code == ErrorCode::too_large) embedded = embed_singly(*inference, kb.model, batch.texts, stop);
    auto stored = embedded.ok() ? store_vectors(pool, kb_id, kb.epoch, batch, *embedded) : Result<void>(embedded.error());
    if (!stored.ok()) {
      if (auto returned = give_back(pool, batch); !returned.ok())
        log::warn("embedding_claim_kept", {{"kb", kb.name}, {"reason", returned.error().message}});
      return stored;
    }
    if (progress) {
      const auto counts = HENG_TRY(count(pool, kb_id));
      progress(counts.done, counts.total);
    }
  }
}

}  // namespace heng::knowledge_sqlite
