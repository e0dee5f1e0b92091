#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "heng/contracts/document.h"
#include "heng/contracts/inference.h"
#include "heng/knowledge_sqlite/knowledge_base.h"

namespace heng::bench {

/// What the benchmark was started with.
struct Options {
  std::filesystem::path data, models, work, parser_program;
  std::filesystem::path laws_folder;   ///< Empty: all laws of the data.
  std::string mode = "hybrid";
  int threads = 2;
  int most_questions = 0;   ///< 0: all.
  bool show_misses = false;
  knowledge_sqlite::KnowledgeSettings settings;
};

/// Reads rulebook JSON itself (each passage a paragraph under its number); everything else goes to the real parser.
class BenchParser final : public DocumentParser {
 public:
  explicit BenchParser(DocumentParser* real) : real_(real) {}
  Result<ParsedDocument> parse(const std::string& name, const std::string& bytes) override;

 private:
  DocumentParser* real_;
};

/// An open knowledge base file with its engine.
struct Bench {
  Options options;
  std::unique_ptr<Inference> english, chinese;
  std::unique_ptr<Inference> both;
  std::unique_ptr<DocumentParser> process_parser;
  std::unique_ptr<BenchParser> parser;
  std::unique_ptr<store::Pool> pool;
  std::unique_ptr<knowledge_sqlite::KnowledgeBase> kb;
  Principal principal;
};

/// Engine of several embedding models, chosen by name.
std::unique_ptr<Inference> route(std::vector<Inference*> engines);

Result<void> ingest_folder(Bench& bench, const KbName& kb, const std::string& language, const std::filesystem::path& folder,
                           const std::string& extension);
SearchMode mode_of(const std::string& name);
std::string read_file(const std::filesystem::path& path);

Result<void> rulebooks(Bench& bench);
Result<void> laws(Bench& bench, const std::string& language);
Result<void> filings(Bench& bench);
Result<void> speed(Bench& bench, int chunks, const std::string& from);
Result<void> ingest_time(Bench& bench, const std::filesystem::path& file);
Result<void> vector_recall(Bench& bench, const std::string& kb);

}  // namespace heng::bench
