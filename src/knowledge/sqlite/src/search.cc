#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>

#include "heng/base/log.h"
#include "heng/base/text.h"
#include "heng/knowledge/fingerprint.h"
#include "heng/knowledge/words.h"
#include "impl.h"

namespace heng::knowledge_sqlite {
namespace {

using knowledge::Scored;

constexpr std::size_t candidates = 120;            // of each ranking
constexpr std::size_t longest_query_bytes = 65'536;
constexpr double same_page_share = 0.97;           // each further chunk of a page already shown counts this much less

std::unordered_map<std::uint32_t, double> scores_of(const std::vector<Scored>& list) {
  std::unordered_map<std::uint32_t, double> out;
  for (const auto& s : list) out.emplace(s.ordinal, s.score);
  return out;
}

double score_in(const std::unordered_map<std::uint32_t, double>& scores, std::uint32_t ordinal) {
  const auto at = scores.find(ordinal);
  return at == scores.end() ? 0.0 : at->second;
}

/// Near-duplicates of what stands before them go; further chunks of one page step back a little.
std::vector<Scored> varied(const std::vector<Scored>& ranked, const KbMemory& memory, std::size_t most) {
  std::vector<Scored> pool(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(std::min(ranked.size(), most * 2 + 40)));
  std::unordered_map<std::int64_t, int> on_page;
  for (auto& hit : pool) hit.score *= std::pow(same_page_share, on_page[memory.page_key(hit.ordinal)]++);
  std::stable_sort(pool.begin(), pool.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  std::vector<Scored> out;
  for (const auto& hit : pool) {
    const auto print = memory.fingerprint(hit.ordinal);
    const bool seen = print != 0 && std::any_of(out.begin(), out.end(), [&](const auto& o) {
                        return knowledge::near_duplicates(memory.fingerprint(o.ordinal), print);
                      });
    if (!seen) out.push_back(hit);
    if (out.size() >= most) break;
  }
  return out;
}

}  // namespace

bool QuestionCache::find(const std::string& key, std::vector<float>& vector) {
  const std::lock_guard guard(mutex_);
  const auto at = places_.find(key);
  if (at == places_.end()) return false;
  recent_.splice(recent_.begin(), recent_, at->second);
  vector = at->second->second;
  return true;
}

void QuestionCache::keep(const std::string& key, const std::vector<float>& vector) {
  const std::lock_guard guard(mutex_);
  if (places_.contains(key)) return;
  recent_.emplace_front(key, vector);
  places_[key] = recent_.begin();
  if (recent_.size() > most) {
    places_.erase(recent_.back().first);
    recent_.pop_back();
  }
}

std::shared_ptr<KbMemory> KnowledgeBase::Impl::memory_of(std::int64_t kb_id) {
  const std::lock_guard guard(memories_mutex);
  auto& memory = memories[kb_id];
  if (!memory) memory = std::make_shared<KbMemory>(settings.vectors, settings.word_cache_bytes);
  return memory;
}

void KnowledgeBase::Impl::forget(std::int64_t kb_id) {
  const std::lock_guard guard(memories_mutex);
  memories.erase(kb_id);
}

Result<std::vector<float>> KnowledgeBase::Impl::question_vector(const KbRow& kb, const std::string& question, std::stop_token stop) {
  std::vector<float> vector;
  // white space does not change a question
  const std::string sought = text::nfc(knowledge::cut_to_tokens(text::trim(question), 400));
  const std::string key = kb.model_sha256 + '\n' + sought;
  if (questions.find(key, vector)) return vector;
  if (inference == nullptr) return Error(ErrorCode::unavailable, "no embedding model is loaded");
  EmbedRequest request;
  request.model = kb.model;
  request.texts = {sought};
  request.kind = EmbedKind::query;
  auto embedded = HENG_TRY(inference->embed(request, stop));
  if (embedded.vectors.size() != 1) return Error(ErrorCode::internal, "the engine gave no vector for the question");
  if (embedded.model_sha256 != kb.model_sha256 || static_cast<std::int64_t>(embedded.vectors[0].size()) != kb.dimensions)
    return Error(ErrorCode::conflict,
                 fmt::format("knowledge base \"{}\" has vectors of another file of model \"{}\" (sha256 {}…, loaded {}…): rebuild it "
                             "with its vectors, or load the file it was made with",
                             kb.name, kb.model, kb.model_sha256.substr(0, 12), embedded.model_sha256.substr(0, 12)));
  questions.keep(key, embedded.vectors[0]);
  return std::move(embedded.vectors[0]);
}

Result<std::vector<Scored>> KnowledgeBase::Impl::by_words(store::Database& db, const KbRow& kb, KbMemory& memory,
                                                          const KbMemory::View& view, const std::string& question,
                                                          std::stop_token stop) {
  thread_local knowledge::WordSplitter splitter;
  std::vector<WordCache::Postings> lists;
  std::vector<knowledge::WeightedPostings> terms;
  for (const auto& term : knowledge::query_terms(splitter, question)) {
    if (stop.stop_requested()) return Error(ErrorCode::cancelled, "the search was cancelled");
    lists.push_back(HENG_TRY(memory.words.postings(db, kb.id, term.text, memory.ids())));
    if (!lists.back()->empty()) terms.push_back({term.weight, *lists.back()});
  }
  const knowledge::Visible visible{view.allowed, memory.lengths(), view.count, view.average_length};
  return knowledge::bm25(terms, visible, settings.words, candidates);
}

Result<std::vector<Scored>> KnowledgeBase::Impl::by_vector(store::Database& db, const KbMemory& memory, const KbMemory::View& view,
                                                           const std::vector<float>& vector) {
  if (memory.vectors() == nullptr) return std::vector<Scored>{};
  auto found = HENG_TRY(memory.vectors()->search(vector, candidates, view.allowed, view.count));
  // the first places once more with the stored halves: what 8 bits blur, 16 decide
  const std::size_t again = std::min<std::size_t>(found.size(), 64);
  auto row = HENG_TRY(db.prepare("SELECT halves FROM chunk_vector WHERE chunk_id = ?1"));
  for (std::size_t i = 0; i < again; ++i) {
    row.reset();
    row.bind(1, memory.ids()[found[i].ordinal]);
    if (!HENG_TRY(row.step())) continue;
    const auto stored = unpack_halves(row.blob(0));
    double sum = 0;
    for (std::size_t d = 0; d < std::min(stored.size(), vector.size()); ++d) sum += static_cast<double>(stored[d]) * vector[d];
    found[i].score = sum;
  }
  std::stable_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(again),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  return found;
}

Result<std::vector<Passage>> KnowledgeBase::Impl::collect(store::Database& db, const KbRow& kb, const KbMemory& memory,
                                                          const SearchQuery& query, const std::vector<Scored>& ranked,
                                                          const std::vector<Scored>& words, const std::vector<Scored>& vectors) {
  const auto word_scores = scores_of(words), vector_scores = scores_of(vectors);
  const auto k = static_cast<std::size_t>(query.k);
  const std::string reader = reader_json(query.principal);
  std::vector<Passage> out;
  for (const auto& hit : varied(ranked, memory, k + 4)) {
    auto passage = HENG_TRY(readable_passage(db, kb, memory.ids()[hit.ordinal], reader));
    if (!passage) continue;
    passage->score = hit.score;
    passage->word_score = score_in(word_scores, hit.ordinal);
    passage->vector_score = score_in(vector_scores, hit.ordinal);
    out.push_back(std::move(*passage));
    if (out.size() >= k) break;
  }
  return out;
}

Result<std::vector<Passage>> KnowledgeBase::Impl::search(const SearchQuery& query, std::stop_token stop) {
  if (query.k < 1 || query.k > settings.most_results)
    return Error(ErrorCode::invalid_argument, fmt::format("k is {}; it must be 1…{}", query.k, settings.most_results), "k");
  if (query.text.size() > longest_query_bytes)
    return Error(ErrorCode::too_large, fmt::format("the query has {} bytes, the limit is {}", query.text.size(), longest_query_bytes), "query");
  const std::string question = text::replace_invalid_utf8(query.text);
  if (text::trim(question).empty()) return Error(ErrorCode::invalid_argument, "the query is empty", "query");

  auto lease = HENG_TRY(pool.reader());
  store::Database& db = *lease;
  KbRow kb = HENG_TRY(find_kb(db, query.principal.tenant, query.kb));
  // inference first: no lock and no snapshot is held while it runs
  std::vector<float> vector;
  if (query.mode != SearchMode::words && kb.dimensions > 0) {
    auto embedded = question_vector(kb, knowledge::essential_question(question), stop);
    if (embedded.ok()) {
      vector = std::move(embedded).value();
    } else if (query.mode == SearchMode::meaning || embedded.error().code == ErrorCode::cancelled) {
      return embedded.error();
    } else {
      log::warn("search_by_words_only", {{"kb", kb.name}, {"reason", embedded.error().message}});
    }
  }
  const auto memory = memory_of(kb.id);
  for (int attempt = 0; attempt < 50; ++attempt) {
    auto snapshot = HENG_TRY(store::Transaction::begin(db, store::Transaction::Kind::read));
    kb = HENG_TRY(kb_by_id(db, kb.id));
    if (memory->generation() != kb.generation || memory->epoch() != kb.epoch) {
      const std::unique_lock alone(memory->lock);
      if (memory->generation() > kb.generation) continue;  // another thread has seen a newer state: look again
      if (auto refreshed = memory->refresh(db, kb); !refreshed.ok()) return with_advice(refreshed.error(), kb.name);
    }
    const std::shared_lock together(memory->lock);
    if (memory->generation() != kb.generation) continue;
    const auto view = memory->view(query.principal);
    std::vector<Scored> words, vectors;
    if (query.mode != SearchMode::meaning) {
      auto found = by_words(db, kb, *memory, view, question, stop);
      if (!found.ok()) return with_advice(found.error(), kb.name);
      words = std::move(found).value();
    }
    if (!vector.empty()) vectors = HENG_TRY(by_vector(db, *memory, view, vector));
    const auto& fusion = kb.language == "zh" ? settings.chinese_fusion : settings.fusion;
    const auto ranked = vectors.empty() ? words : words.empty() ? vectors : knowledge::fuse(words, vectors, fusion);
    return collect(db, kb, *memory, query, ranked, words, vectors);
  }
  return Error(ErrorCode::overloaded, "the knowledge base changes faster than it can be read; try again");
}

}  // namespace heng::knowledge_sqlite
