#include <algorithm>
#include <cstring>
#include <cmath>
#include <random>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench.h"

namespace heng::bench {
namespace {

double percentile(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(p * static_cast<double>(values.size())))];
}

std::vector<std::string> some_questions(const Bench& bench, std::size_t most) {
  const auto all = nlohmann::json::parse(read_file(bench.options.data / "documents" / "rulebooks_en_questions_dev.json"));
  std::vector<std::string> out;
  for (std::size_t i = 0; i < all.size() && out.size() < most; i += std::max<std::size_t>(1, all.size() / most)) out.push_back(all[i].at("Question"));
  return out;
}

/// Rows of one knowledge base once more under new ids, words shuffled a little, until there are enough.
Result<void> multiply(Bench& bench, int chunks, const std::string& from) {
  auto writer = HENG_TRY(bench.pool->writer());
  const auto id = HENG_TRY(writer->query_integer("SELECT id FROM kb WHERE name = 'speed'"));
  std::mt19937 random(7);
  struct Row {
    std::string heading, context, text, halves;
    std::int64_t words;
  };
  std::vector<Row> rows;
  {
    auto source = HENG_TRY(writer->prepare("SELECT c.heading, c.context, c.text, v.halves, c.words FROM chunk c JOIN chunk_vector v ON v.chunk_id = c.id "
                                           "WHERE c.kb_id = (SELECT id FROM kb WHERE name = ?1)"));
    source.bind(1, from);
    while (HENG_TRY(source.step())) rows.push_back({source.string(0), source.string(1), source.string(2), std::string(source.blob(3)), source.integer(4)});
  }
  if (rows.empty()) return Error(ErrorCode::not_found, "make knowledge base " + from + " with its vectors first");
  auto transaction = HENG_TRY(store::Transaction::begin(*writer));
  HENG_TRY(writer->run("UPDATE kb SET embedding_sha256 = (SELECT embedding_sha256 FROM kb WHERE name = ?2), embedding_model = (SELECT embedding_model FROM kb WHERE name = ?2), dimensions = "
                       "(SELECT dimensions FROM kb WHERE name = ?2) WHERE id = ?1", id, from));
  std::int64_t document = 0;
  for (int i = 0; i < chunks; ++i) {
    if (i % 500 == 0) {
      HENG_TRY(writer->run("INSERT INTO document (kb_id, path, title, media_type, sha256, content_sha256, readers, status, size_bytes, pages, chunks, ingested_ms, "
                           "pipeline) VALUES (?1, ?2, ?2, '', '', '', '[]', 'parsed', 0, 0, 500, 0, 1)", id, fmt::format("copy {}", i / 500)));
      document = writer->last_insert_id();
    }
    Row row = rows[random() % rows.size()];
    row.text += fmt::format(" variant {}", random() % 100000);
    for (std::size_t b = 0; b < row.halves.size(); b += 2) row.halves[b] = static_cast<char>(random());  // low bits: near, not equal
    auto chunk = HENG_TRY(writer->prepare("INSERT INTO chunk (kb_id, document_id, place, page, page_last, heading, context, text, sha256, boxes, words, simhash) "
                                          "VALUES (?1, ?2, ?3, 0, 0, ?4, ?5, ?6, '', x'', ?7, ?8)"));
    chunk.bind_all(id, document, i, row.heading, row.context, row.text, row.words, static_cast<std::int64_t>(random()) << 20 ^ static_cast<std::int64_t>(random()));
    HENG_TRY(chunk.run());
    const auto chunk_id = writer->last_insert_id();
    HENG_TRY(writer->run(fmt::format("INSERT INTO words_{} (rowid, title, heading, body) VALUES (?1, ?2, ?3, ?4)", id), chunk_id, "copy", row.heading, row.text));
    auto v = HENG_TRY(writer->prepare("INSERT INTO chunk_vector (chunk_id, kb_id, halves) VALUES (?1, ?2, ?3)"));
    v.bind_all(chunk_id, id);
    v.bind_blob(3, row.halves);
    HENG_TRY(v.run());
  }
  HENG_TRY(writer->run("UPDATE kb SET generation = generation + 1, documents_generation = documents_generation + 1 WHERE id = ?1", id));
  return transaction.commit();
}

}  // namespace

Result<void> speed(Bench& bench, int chunks, const std::string& from) {
  auto made = bench.kb->create(bench.principal, KbName("speed"), "en");
  if (made.ok()) HENG_TRY(multiply(bench, chunks, from));
  const auto info = HENG_TRY(bench.kb->list(bench.principal));
  for (const auto& kb : info)
    if (kb.name.value == "speed") chunks = kb.documents * 500;
  for (const std::string mode : {"words", "meaning", "hybrid"}) {
    std::vector<double> times;
    double first = 0;
    for (const auto& question : some_questions(bench, 600)) {
      const auto start = system_clock().steady();
      HENG_TRY(bench.kb->search({bench.principal, KbName("speed"), question + " " + mode, 10, mode_of(mode)}, {}));
      const double ms = elapsed_ms(start);
      if (first == 0) first = ms;
      else times.push_back(ms);
    }
    fmt::print("search {:<8} {} chunks: first {:.1f} ms, p50 {:.1f} ms, p95 {:.1f} ms, p99 {:.1f} ms ({} different questions, embedding included)\n", mode, chunks, first,
               percentile(times, 0.5), percentile(times, 0.95), percentile(times, 0.99), times.size());
    std::fflush(stdout);
  }
  fmt::print("memory of the knowledge bases: {:.1f} MB\n", static_cast<double>(bench.kb->memory_bytes()) / 1e6);
  return {};
}

Result<void> ingest_time(Bench& bench, const std::filesystem::path& file) {
  const KbName name("ingest-time");
  if (auto removed = bench.kb->remove(bench.principal, name); !removed.ok() && removed.error().code != ErrorCode::not_found) return removed.error();
  HENG_TRY(bench.kb->create(bench.principal, name, "en"));
  const auto start = system_clock().steady();
  const auto report = HENG_TRY(bench.kb->ingest(bench.principal, name, {file.filename().string(), read_file(file)}, {}, {}));
  if (report.error) return *report.error;
  const double words_s = elapsed_ms(start) / 1000;
  HENG_TRY(bench.kb->search({bench.principal, name, "revenue", 5, SearchMode::words}, {}));
  HENG_TRY(bench.kb->embed_pending(name, nullptr, {}));
  fmt::print("{}: {} pages, {} chunks: by words in {:.1f} s (parse {:.1f}, index {:.1f}), by meaning in {:.1f} s\n", report.path, report.pages, report.chunks, words_s,
             report.parse_ms / 1000, report.index_ms / 1000, elapsed_ms(start) / 1000);
  return {};
}

Result<void> vector_recall(Bench& bench, const std::string& name) {
  std::vector<std::vector<float>> vectors;
  {
    auto reader = HENG_TRY(bench.pool->reader());
    auto rows = HENG_TRY(reader->prepare("SELECT halves FROM chunk_vector WHERE kb_id = (SELECT id FROM kb WHERE name = ?1) ORDER BY id"));
    rows.bind(1, name);
    while (HENG_TRY(rows.step())) {
      const auto bytes = rows.blob(0);
      std::vector<float> v(bytes.size() / 2);
      for (std::size_t i = 0; i < v.size(); ++i) {
        std::uint16_t half;
        std::memcpy(&half, bytes.data() + i * 2, 2);
        v[i] = knowledge::from_half(half);
      }
      vectors.push_back(std::move(v));
    }
  }
  if (vectors.empty()) return Error(ErrorCode::not_found, "no vectors in " + name);
  knowledge::VectorIndex scan(vectors[0].size()), graph(vectors[0].size(), {.graph_from = 1, .scan_below = 0});
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    HENG_TRY(scan.set(static_cast<std::uint32_t>(i), vectors[i]));
    HENG_TRY(graph.set(static_cast<std::uint32_t>(i), vectors[i]));
  }
  auto start = system_clock().steady();
  HENG_TRY(graph.build_graph());
  fmt::print("graph of {} vectors built in {:.1f} s\n", vectors.size(), elapsed_ms(start) / 1000);
  EmbedRequest request{.model = bench.english->models().front().name, .texts = some_questions(bench, 200), .kind = EmbedKind::query};
  const auto questions = HENG_TRY(bench.english->embed(request, {})).vectors;
  const std::vector<std::uint8_t> all(vectors.size(), 1);
  int exact_hits = 0, scan_hits = 0, plain_hits = 0, graph_hits = 0;
  double scan_ms = 0, graph_ms = 0;
  for (const auto& q : questions) {
    std::vector<std::pair<double, std::uint32_t>> exact;
    const auto cosine = [&](std::uint32_t i) {
      double sum = 0;
      for (std::size_t d = 0; d < q.size(); ++d) sum += static_cast<double>(vectors[i][d]) * q[d];
      return sum;
    };
    for (std::uint32_t i = 0; i < vectors.size(); ++i) exact.emplace_back(-cosine(i), i);
    std::partial_sort(exact.begin(), exact.begin() + 10, exact.end());
    const auto hits = [&](std::vector<knowledge::Scored> found, bool again) {
      if (again) {
        for (auto& f : found) f.score = cosine(f.ordinal);
        std::sort(found.begin(), found.end(), [](auto& a, auto& b) { return a.score > b.score; });
      }
      int n = 0;
      for (std::size_t i = 0; i < 10 && i < found.size(); ++i)
        for (int e = 0; e < 10; ++e) n += exact[static_cast<std::size_t>(e)].second == found[i].ordinal;
      return n;
    };
    exact_hits += 10;
    start = system_clock().steady();
    const auto by_scan = HENG_TRY(scan.search(q, 64, all, all.size()));
    scan_ms += elapsed_ms(start);
    start = system_clock().steady();
    const auto by_graph = HENG_TRY(graph.search(q, 64, all, all.size()));
    graph_ms += elapsed_ms(start);
    plain_hits += hits(by_scan, false);
    scan_hits += hits(by_scan, true);
    graph_hits += hits(by_graph, true);
  }
  const double n = exact_hits, m = static_cast<double>(questions.size());
  fmt::print("recall@10 of {} vectors against exact f32: int8 alone {:.4f}, int8 + stored halves {:.4f} ({:.2f} ms), graph + halves {:.4f} ({:.2f} ms)\n", vectors.size(),
             plain_hits / n, scan_hits / n, scan_ms / m, graph_hits / n, graph_ms / m);
  return {};
}

}  // namespace heng::bench
