#include <cstdlib>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "bench.h"
#include "heng/infer/llama/engine.h"
#include "heng/parse/process_parser.h"

namespace heng::bench {
namespace {

/// Chooses between the two embedding engines by model name.
class Routed final : public Inference {
 public:
  explicit Routed(std::vector<Inference*> engines) : engines_(std::move(engines)) {}
  Result<ChatResult> chat(const ChatRequest&, const ChatSink&, std::stop_token) override { return none(); }
  Result<ScoreResult> score(const ScoreRequest&, std::stop_token) override { return none(); }
  Result<EmbedResult> embed(const EmbedRequest& request, std::stop_token stop) override {
    for (auto* engine : engines_)
      if (request.model.empty() || engine->models().front().name == request.model) return engine->embed(request, stop);
    return none();
  }
  Result<ReplayResult> replay(const ReplayRequest&, std::stop_token) override { return none(); }
  Result<std::vector<std::int32_t>> tokenize(const std::string&, const std::string&) override { return none(); }
  std::vector<ModelInfo> models() const override {
    std::vector<ModelInfo> out;
    for (auto* engine : engines_)
      for (auto& model : engine->models()) out.push_back(model);
    return out;
  }
  std::vector<InferenceStats> stats() const override { return {}; }

 private:
  static Error none() { return Error(ErrorCode::not_found, "no such model"); }
  std::vector<Inference*> engines_;
};

Result<void> open(Bench& bench) {
  auto& o = bench.options;
  const auto load = [&](const char* file) {
    infer::LlamaSettings settings;
    settings.path = o.models / file;
    settings.threads = o.threads;
    return infer::LlamaEngine::create(settings);
  };
  bench.english = HENG_TRY(load("multilingual-e5-small-q4_0.gguf"));
  bench.chinese = HENG_TRY(load("bge-small-zh-v1.5-f16.gguf"));
  bench.both = route({bench.english.get(), bench.chinese.get()});
  o.settings.embedding_model = bench.english->models().front().name;
  o.settings.chinese_embedding_model = bench.chinese->models().front().name;
  if (!o.parser_program.empty()) bench.process_parser = HENG_TRY(parse::ProcessParser::create({.program = o.parser_program}));
  bench.parser = std::make_unique<BenchParser>(bench.process_parser.get());
  std::filesystem::create_directories(o.work);
  store::PoolSettings pool;
  pool.database.path = o.work / "retrieval.db";
  pool.database.key = HENG_TRY(store::SecretKey::from_hex(std::string(64, 'a')));
  pool.database.on_open = knowledge_sqlite::prepare_connection;
  bench.pool = HENG_TRY(store::Pool::open(pool, knowledge_sqlite::migrations()));
  bench.kb = HENG_TRY(knowledge_sqlite::KnowledgeBase::create(o.settings, *bench.pool, bench.parser.get(), bench.both.get()));
  bench.principal.tenant = TenantId("bench");
  bench.principal.roles = {"admin"};
  return {};
}

}  // namespace

std::unique_ptr<Inference> route(std::vector<Inference*> engines) { return std::make_unique<Routed>(std::move(engines)); }

}  // namespace heng::bench

int main(int argc, char** argv) {
  using namespace heng;
  bench::Bench bench;
  auto& o = bench.options;
  const auto from_environment = [](const char* name) { return std::string(std::getenv(name) != nullptr ? std::getenv(name) : ""); };
  o.data = from_environment("HENG_DATA");
  o.models = from_environment("HENG_MODELS");
  CLI::App app("Retrieval quality and speed on public data");
  std::string what = "all", file, language, from = "rulebooks";
  int chunks = 100'000;
  auto& s = o.settings;
  app.add_option("what", what, "rulebooks, laws, filings, speed, vectors, ingest or all");
  app.add_option("--work", o.work, "folder of the knowledge base file; kept between runs")->required();
  app.add_option("--parser", o.parser_program, "heng-parse");
  app.add_option("--language", language, "for `laws`: zh or mixed; both where left out");
  app.add_option("--laws-folder", o.laws_folder, "a part of the laws, where the machine has no time for all");
  app.add_option("--file", file, "document for `ingest`");
  app.add_option("--mode", o.mode);
  app.add_option("--threads", o.threads, "of the embedding engines; one on a busy machine");
  app.add_option("--questions", o.most_questions);
  app.add_option("--from", from, "knowledge base whose chunks `speed` and `vectors` take");
  app.add_option("--chunks", chunks);
  app.add_flag("--misses", o.show_misses);
  app.add_option("--k1", s.words.k1);
  app.add_option("--b", s.words.b);
  app.add_option("--heading", s.words.heading_weight);
  app.add_option("--title", s.words.title_weight);
  app.add_option("--vector-weight", s.fusion.vector_weight);
  app.add_option("--zh-vector-weight", s.chinese_fusion.vector_weight);
  app.add_option("--rank-offset", s.fusion.rank_offset);
  app.add_option("--score-share", s.fusion.score_share);
  app.add_option("--zh-score-share", s.chinese_fusion.score_share);
  CLI11_PARSE(app, argc, argv);
  if (o.data.empty() || !std::filesystem::exists(o.data)) {
    fmt::print("skipped: no public data (HENG_DATA)\n");
    return 0;
  }
  auto done = bench::open(bench);
  const auto run = [&](const char* name, auto&& part) {
    if (done.ok() && (what == "all" || what == name)) done = part();
  };
  run("rulebooks", [&] { return bench::rulebooks(bench); });
  run("laws", [&] { return bench::laws(bench, language); });
  run("filings", [&] { return bench::filings(bench); });
  run("speed", [&] { return bench::speed(bench, chunks, from); });
  run("vectors", [&] { return bench::vector_recall(bench, from); });
  run("ingest", [&] { return bench::ingest_time(bench, file.empty() ? o.data / "documents" / "filings_en" / "AMERICANWATERWORKS_2022_10K.pdf" : std::filesystem::path(file)); });
  if (!done.ok()) {
    fmt::print(stderr, "{}: {}\n", to_string(done.error().code), done.error().message);
    return 1;
  }
  return 0;
}
