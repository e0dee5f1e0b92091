#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bench.h"
#include "heng/base/text.h"
#include "heng/knowledge/clean.h"

namespace heng::bench {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

struct Tally {
  int questions = 0;
  std::map<int, int> within;   // k → hits
  double reciprocal = 0;
  void add(int rank) {
    ++questions;
    for (const int k : {1, 3, 5, 10, 20})
      if (rank > 0 && rank <= k) ++within[k];
    if (rank > 0) reciprocal += 1.0 / rank;
  }
  void print(const std::string& what) {
    const double n = std::max(1, questions);
    fmt::print("{:<34} {:>6} questions   @1 {:.3f}  @3 {:.3f}  @5 {:.3f}  @10 {:.3f}  @20 {:.3f}  mrr {:.3f}\n", what, questions, within[1] / n,
               within[3] / n, within[5] / n, within[10] / n, within[20] / n, reciprocal / n);
    std::fflush(stdout);
  }
};

std::vector<json> lines_of(const fs::path& path) {
  std::ifstream in(path);
  std::vector<json> out;
  for (std::string line; std::getline(in, line);)
    if (!text::trim(line).empty()) out.push_back(json::parse(line));
  return out;
}

Result<std::vector<Passage>> ask(Bench& bench, const std::string& kb, const std::string& question, int k) {
  SearchQuery query{bench.principal, KbName(kb), question, k, mode_of(bench.options.mode)};
  return bench.kb->search(query, {});
}

}  // namespace

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return std::move(out).str();
}

SearchMode mode_of(const std::string& name) {
  return name == "words" ? SearchMode::words : name == "meaning" ? SearchMode::meaning : SearchMode::hybrid;
}

Result<void> ingest_folder(Bench& bench, const KbName& kb, const std::string& language, const fs::path& folder, const std::string& extension) {
  auto made = bench.kb->create(bench.principal, kb, language);
  if (!made.ok() && made.error().code != ErrorCode::already_exists) return made.error();
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() == extension) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  const auto start = system_clock().steady();
  int chunks = 0, added = 0;
  for (const auto& file : files) {
    auto report = HENG_TRY(bench.kb->ingest(bench.principal, kb, {fs::relative(file, folder).string(), read_file(file)}, {}, {}));
    if (report.error) fmt::print(stderr, "{}: {}\n", report.path, report.error->message);
    chunks += report.chunks;
    added += report.outcome == IngestOutcome::added || report.outcome == IngestOutcome::replaced;
  }
  fmt::print("{}: {} files, {} new, {} chunks, words ready in {:.1f} s\n", kb.value, files.size(), added, chunks, elapsed_ms(start) / 1000);
  if (bench.options.mode == "words") return {};
  const auto embed_start = system_clock().steady();
  int last = -1;
  HENG_TRY(bench.kb->embed_pending(kb, [&](int done, int total) {
    if (total > 0 && done * 20 / total != last) {
      last = done * 20 / total;
      fmt::print(stderr, "\r{} {}/{} vectors, {:.0f} s   ", kb.value, done, total, elapsed_ms(embed_start) / 1000);
    }
  }, {}));
  fmt::print("{}: vectors ready in {:.1f} s\n", kb.value, elapsed_ms(embed_start) / 1000);
  return {};
}

Result<void> rulebooks(Bench& bench) {
  const auto folder = bench.options.data / "documents" / "rulebooks_en";
  HENG_TRY(ingest_folder(bench, KbName("rulebooks"), "en", folder, ".json"));
  const auto questions = json::parse(read_file(bench.options.data / "documents" / "rulebooks_en_questions_dev.json"));
  std::map<std::pair<std::string, std::string>, int> page_of;  // (document, passage id) → place
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto passages = json::parse(read_file(entry.path()));
    int place = 0;
    for (const auto& p : passages) page_of.emplace(std::pair(entry.path().filename().string(), p.at("PassageID").get<std::string>()), ++place);
  }
  Tally any;
  double recall = 0;
  const int most = bench.options.most_questions > 0 ? bench.options.most_questions : static_cast<int>(questions.size());
  const int step = std::max(1, static_cast<int>(questions.size()) / most);
  for (std::size_t q = 0; q < questions.size(); q += static_cast<std::size_t>(step)) {
    const auto& question = questions[q];
    std::set<std::pair<std::string, int>> gold;
    for (const auto& p : question.at("Passages")) {
      const auto file = std::to_string(p.at("DocumentID").get<int>()) + ".json";
      gold.insert({file, page_of[{file, p.at("PassageID").get<std::string>()}]});
    }
    const auto found = HENG_TRY(ask(bench, "rulebooks", question.at("Question").get<std::string>(), 20));
    int first = 0;
    std::set<std::pair<std::string, int>> hits;
    for (std::size_t i = 0; i < found.size(); ++i) {
      for (int page = found[i].page; page <= found[i].page_last; ++page) {
        if (!gold.contains({found[i].document_path, page})) continue;
        if (first == 0) first = static_cast<int>(i) + 1;
        if (i < 10) hits.insert({found[i].document_path, page});
      }
    }
    any.add(first);
    recall += static_cast<double>(hits.size()) / static_cast<double>(gold.size());
    if (first == 0 && bench.options.show_misses) fmt::print("  missed: {}\n", question.at("Question").get<std::string>());
  }
  any.print("rulebooks " + bench.options.mode);
  fmt::print("rulebooks recall@10 over all gold passages: {:.4f}\n", recall / std::max(1, any.questions));
  return {};
}

Result<void> laws(Bench& bench, const std::string& language) {
  for (const std::string kb : {"laws-zh", "laws-mixed"}) {
    if (!language.empty() && kb != "laws-" + language) continue;
    HENG_TRY(ingest_folder(bench, KbName(kb), kb == "laws-zh" ? "zh" : "mixed", bench.options.laws_folder.empty() ? bench.options.data / "documents" / "laws_zh" : bench.options.laws_folder, ".md"));
    Tally all, formal, everyday;
    for (const auto& q : lines_of(fs::path(HENG_SOURCE) / "tests" / "eval" / "laws_zh_questions.jsonl")) {
      const auto law = q.at("law").get<std::string>(), article = q.at("article").get<std::string>();
      const auto found = HENG_TRY(ask(bench, kb, q.at("question").get<std::string>(), 20));
      int rank = 0;
      for (std::size_t i = 0; i < found.size() && rank == 0; ++i) {
        const bool in_law = fs::path(found[i].document_path).filename().string() == law;
        const bool in_article = found[i].text.starts_with(article) || found[i].text.find("\n" + article) != std::string::npos ||
                                found[i].context.find(article) != std::string::npos;
        if (in_law && in_article) rank = static_cast<int>(i) + 1;
      }
      all.add(rank);
      (q.at("style") == "everyday" ? everyday : formal).add(rank);
      if ((rank == 0 || rank > 5) && bench.options.show_misses) {
        fmt::print("  {} {} {} rank {}: {}\n", q.at("id").get<std::string>(), law, article, rank, q.at("question").get<std::string>());
        for (std::size_t i = 0; i < 3 && i < found.size(); ++i)
          fmt::print("      {} {} w {:.2f} v {:.3f}\n", found[i].document_title, found[i].text.substr(0, 60), found[i].word_score, found[i].vector_score);
      }
    }
    all.print(kb + " " + bench.options.mode);
    formal.print("  formal");
    everyday.print("  everyday");
  }
  return {};
}

Result<void> filings(Bench& bench) {
  HENG_TRY(ingest_folder(bench, KbName("filings"), "en", bench.options.data / "documents" / "filings_en", ".pdf"));
  Tally pages;
  auto questions = lines_of(bench.options.data / "documents" / "filings_en_questions.jsonl");
  for (const auto& q : questions) {
    std::set<std::pair<std::string, int>> gold;
    // evidence pages count from 0 in the set
    for (const auto& e : q.at("evidence")) gold.insert({e.at("doc_name").get<std::string>() + ".pdf", e.at("evidence_page_num").get<int>() + 1});
    const auto found = HENG_TRY(ask(bench, "filings", q.at("question").get<std::string>(), 20));
    int rank = 0;
    for (std::size_t i = 0; i < found.size() && rank == 0; ++i)
      for (int page = found[i].page; page <= found[i].page_last; ++page)
        if (gold.contains({found[i].document_path, page})) rank = static_cast<int>(i) + 1;
    pages.add(rank);
    if (bench.options.show_misses) {
      fmt::print("  rank {}: {}\n", rank, q.at("question").get<std::string>());
      for (std::size_t i = 0; i < 6 && i < found.size(); ++i)
        fmt::print("      {} p{} w {:.2f} v {:.3f} [{}] {}\n", found[i].document_path, found[i].page, found[i].word_score, found[i].vector_score, found[i].heading.substr(0, 60), found[i].text.substr(0, 70));
    }
  }
  pages.print("filings gold page, " + bench.options.mode);
  Tally figures;
  for (const auto& q : lines_of(fs::path(HENG_SOURCE) / "tests" / "eval" / "figures_questions.jsonl")) {
    if (q.value("kb", "") != "filings" || q.value("language", "") != "en" || !q.contains("expect")) continue;
    const auto found = HENG_TRY(ask(bench, "filings", q.at("question").get<std::string>(), 20));
    int rank = 0;
    for (std::size_t i = 0; i < found.size() && rank == 0; ++i)
      for (const auto& expected : q.at("expect"))
        if (found[i].document_path == q.at("document") && found[i].text.find(expected.get<std::string>()) != std::string::npos) rank = static_cast<int>(i) + 1;
    figures.add(rank);
    if ((rank == 0 || rank > 5) && bench.options.show_misses) fmt::print("  figure rank {}: {} {}\n", rank, q.at("question").get<std::string>(), q.at("expect").dump());
  }
  figures.print("filings passage with the figure");
  return {};
}

}  // namespace heng::bench
