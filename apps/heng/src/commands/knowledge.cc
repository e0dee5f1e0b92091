// ingest, search, kb: documents in and found.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>

#include "../assembly.h"
#include "../options.h"
#include "../signals.h"
#include "../terminal.h"
#include "heng/api/json.h"
#include "heng/base/text.h"
#include "heng/knowledge_sqlite/knowledge_base.h"

namespace heng::app {
namespace {

namespace fs = std::filesystem;

struct IngestOptions {
  std::vector<fs::path> paths;
  std::string kb, language = "mixed";
  std::vector<std::string> readers;
  bool prune = false, words_only = false;
};

struct Found {
  fs::path file;
  std::string name;  ///< Relative to the path given.
};

std::vector<Found> files_below(const std::vector<fs::path>& paths, std::vector<std::string>& missing) {
  std::vector<Found> out;
  for (const auto& path : paths) {
    std::error_code failed;
    if (fs::is_directory(path, failed)) {
      for (fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, failed), end; it != end; it.increment(failed)) {
        if (failed) break;
        const bool hidden = it->path().filename().string().starts_with(".");
        if (hidden && it->is_directory()) it.disable_recursion_pending();
        if (!hidden && it->is_regular_file()) out.push_back({it->path(), it->path().lexically_relative(path).string()});
      }
    } else if (fs::is_regular_file(path, failed)) {
      out.push_back({path, path.filename().string()});
    } else {
      missing.push_back(path.string());
    }
  }
  std::sort(out.begin(), out.end(), [](const Found& a, const Found& b) { return a.name < b.name; });
  return out;
}

const char* outcome_name(IngestOutcome outcome) {
  switch (outcome) {
    case IngestOutcome::added: return say("added", "新增");
    case IngestOutcome::replaced: return say("replaced", "更新");
    case IngestOutcome::unchanged: return say("unchanged", "未变");
    case IngestOutcome::duplicate: return say("duplicate", "重复");
    case IngestOutcome::failed: return say("failed", "失败");
  }
  return "";
}

IngestReport ingest_file(Knowledge& knowledge, const Principal& principal, const KbName& kb, const Found& found,
                         const std::vector<std::string>& readers) {
  std::ifstream in(found.file, std::ios::binary);
  IngestItem item{found.name, std::string(std::istreambuf_iterator<char>(in), {})};
  if (in.bad() || !in.is_open()) {
    IngestReport report;
    report.path = found.name;
    report.error = Error(ErrorCode::not_found, "cannot read " + found.file.string());
    return report;
  }
  auto result = knowledge.ingest(principal, kb, item, readers, stop_signal());
  if (result.ok()) return std::move(result).value();
  IngestReport report;
  report.path = found.name;
  report.error = result.error();
  return report;
}

Result<int> prune(Knowledge& knowledge, const Principal& principal, const KbName& kb, const std::vector<Found>& found) {
  int removed = 0;
  for (const auto& document : HENG_TRY(knowledge.documents(principal, kb))) {
    const bool there = std::any_of(found.begin(), found.end(), [&](const Found& f) { return f.name == document.path; });
    if (there) continue;
    HENG_TRY(knowledge.remove_document(principal, kb, document.id));
    ++removed;
  }
  return removed;
}

int run_ingest(const Common& common, const IngestOptions& options) {
  std::vector<std::string> missing;
  const auto files = files_below(options.paths, missing);
  for (const auto& path : missing) std::fprintf(stderr, "heng: no such file or folder: %s\n", path.c_str());
  if (files.empty()) return report(Error(ErrorCode::malformed_input, say("no files to read", "没有可读取的文件")));
  auto assembly = open_assembly(common.folder, options.words_only ? Models::none : Models::embedding);
  if (!assembly.ok()) return report(assembly.error());
  auto& knowledge = (*assembly)->knowledge();
  const Principal principal = (*assembly)->local_principal();
  const KbName kb(options.kb);
  if (auto made = knowledge.create(principal, kb, options.language); !made.ok() && made.error().code != ErrorCode::already_exists)
    return report(made.error());

  Progress progress(say("read ", "读取"));
  int counts[5] = {}, failed = static_cast<int>(missing.size());
  std::int64_t chunks = 0;
  for (std::size_t i = 0; i < files.size() && !stop_signal().stop_requested(); ++i) {
    progress.update(static_cast<std::int64_t>(i), static_cast<std::int64_t>(files.size()), files[i].name);
    const auto item = ingest_file(knowledge, principal, kb, files[i], options.readers);
    ++counts[static_cast<int>(item.outcome)];
    chunks += item.chunks;
    failed += item.outcome == IngestOutcome::failed;
    if (common.json) fmt::print("{}\n", api::to_json(item));
    if (item.error || !item.warnings.empty()) {
      progress.clear();
      if (item.error) std::fprintf(stderr, "  %s: %s\n", item.path.c_str(), item.error->message.c_str());
      for (const auto& warning : item.warnings) std::fprintf(stderr, "  %s: %s\n", item.path.c_str(), warning.c_str());
    }
    if (item.error && item.error->code == ErrorCode::storage_full) return 1;
  }
  progress.update(static_cast<std::int64_t>(files.size()), static_cast<std::int64_t>(files.size()));
  int removed = 0;
  if (options.prune && !stop_signal().stop_requested()) {
    auto result = prune(knowledge, principal, kb, files);
    if (!result.ok()) return report(result.error());
    removed = *result;
  }
  if (!options.words_only) {
    Progress vectors(say("\nindex", "\n索引"));
    auto done = knowledge.embed_pending(kb, [&](int n, int total) { vectors.update(n, total, say("by meaning", "语义向量")); }, stop_signal());
    if (!done.ok()) {
      vectors.clear();
      return report(done.error());
    }
  }
  if (!common.json) {
    std::string line = "\n" + std::string(options.kb) + ":";
    for (int i = 0; i < 5; ++i)
      if (counts[i]) line += fmt::format(" {} {}", counts[i], outcome_name(static_cast<IngestOutcome>(i)));
    if (removed) line += fmt::format(" {} {}", removed, say("removed", "移除"));
    fmt::print("{} · {} {}\n", line, chunks, say("passages", "段"));
  }
  return failed ? 3 : 0;
}

struct SearchOptions {
  std::string query, kb, mode = "hybrid";
  int k = 5;
};

int run_search(const Common& common, const SearchOptions& options) {
  auto assembly = open_assembly(common.folder, options.mode == "words" ? Models::none : Models::embedding);
  if (!assembly.ok()) return report(assembly.error());
  SearchQuery query;
  query.principal = (*assembly)->local_principal();
  query.kb = KbName(options.kb);
  query.text = options.query;
  query.k = options.k;
  query.mode = options.mode == "words" ? SearchMode::words : options.mode == "meaning" ? SearchMode::meaning : SearchMode::hybrid;
  auto found = (*assembly)->knowledge().search(query, stop_signal());
  if (!found.ok()) return report(found.error());
  if (common.json) {
    fmt::print("{}\n", api::search_results_to_json(*found));
    return 0;
  }
  int n = 0;
  for (const auto& passage : *found) {
    fmt::print("{}\n", bold(fmt::format("{}. {}{}{}", ++n, passage.document_title, passage.page ? fmt::format(" · {}{}", say("p. ", "第"), passage.page) + say("", "页") : "",
                                        passage.heading.empty() ? "" : " · " + passage.heading)));
    fmt::print("{}\n", wrap(passage.text, 96, "   "));
  }
  if (found->empty()) fmt::print("{}\n", say("nothing found", "没有找到"));
  return 0;
}

int run_kb_list(const Common& common) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto list = (*assembly)->knowledge().list((*assembly)->local_principal());
  if (!list.ok()) return report(list.error());
  if (common.json) {
    for (const auto& kb : *list) fmt::print("{}\n", api::to_json(kb));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{say("name", "名称"), say("language", "语言"), say("documents", "文档"), say("passages", "段"), say("waiting for vectors", "待建向量"), say("embedding model", "向量模型")}};
  for (const auto& kb : *list)
    rows.push_back({kb.name.value, kb.language, std::to_string(kb.documents), std::to_string(kb.chunks), std::to_string(kb.chunks_without_vector), kb.embedding_model});
  fmt::print("{}", table(rows, {2, 3, 4}));
  return 0;
}

int run_kb_documents(const Common& common, const std::string& kb) {
  auto assembly = open_assembly(common.folder, Models::none);
  if (!assembly.ok()) return report(assembly.error());
  auto list = (*assembly)->knowledge().documents((*assembly)->local_principal(), KbName(kb));
  if (!list.ok()) return report(list.error());
  if (common.json) {
    for (const auto& document : *list) fmt::print("{}\n", api::to_json(document));
    return 0;
  }
  std::vector<std::vector<std::string>> rows = {{"id", say("state", "状态"), say("pages", "页"), say("passages", "段"), say("readers", "读者"), say("document", "文档")}};
  for (const auto& d : *list)
    rows.push_back({std::to_string(d.id.value), d.status, std::to_string(d.pages), std::to_string(d.chunks), d.readers.empty() ? say("all", "全部") : text::join(d.readers, ","), d.path});
  fmt::print("{}", table(rows, {0, 2, 3}));
  return 0;
}

/// remove, check and rebuild: `action` on a knowledge base or one document.
int run_kb_action(const Common& common, const std::string& kb, const std::function<Result<void>(Assembly&, const KbName&)>& action, Models models) {
  auto assembly = open_assembly(common.folder, models);
  if (!assembly.ok()) return report(assembly.error());
  auto done = action(**assembly, KbName(kb));
  if (!done.ok()) return report(done.error());
  fmt::print("{}\n", say("done", "完成"));
  return 0;
}

void add_kb(CLI::App& app, Common& common, Run& run) {
  auto* verb = app.add_subcommand("kb", "list, inspect, check, rebuild or remove knowledge bases");
  verb->require_subcommand(1);
  auto name = std::make_shared<std::string>();
  auto document = std::make_shared<std::int64_t>(0);
  auto* list = verb->add_subcommand("list", "all knowledge bases");
  add_common(*list, common);
  list->callback([&] { run = [&common] { return run_kb_list(common); }; });
  auto* documents = verb->add_subcommand("documents", "documents of one knowledge base");
  documents->add_option("NAME", *name)->required();
  add_common(*documents, common);
  documents->callback([&, name] { run = [&common, name] { return run_kb_documents(common, *name); }; });
  auto* remove = verb->add_subcommand("remove", "remove a knowledge base, or one document of it");
  remove->add_option("NAME", *name)->required();
  remove->add_option("--document", *document, "id of the document (default: everything)");
  add_common(*remove, common, false);
  remove->callback([&, name, document] {
    run = [&common, name, document] {
      return run_kb_action(common, *name, [document](Assembly& assembly, const KbName& kb) {
        if (*document) return assembly.knowledge().remove_document(assembly.local_principal(), kb, DocumentId(*document));
        return assembly.knowledge().remove(assembly.local_principal(), kb);
      }, Models::none);
    };
  });
  auto* check = verb->add_subcommand("check", "compare the word index and the vectors with the documents");
  check->add_option("NAME", *name)->required();
  add_common(*check, common, false);
  check->callback([&, name] {
    run = [&common, name] {
      return run_kb_action(common, *name, [](Assembly& a, const KbName& kb) { return a.knowledge_base().check(a.local_principal(), kb); }, Models::none);
    };
  });
  auto* rebuild = verb->add_subcommand("rebuild", "make the word index and the vectors anew from the documents");
  rebuild->add_option("NAME", *name)->required();
  add_common(*rebuild, common, false);
  rebuild->callback([&, name] {
    run = [&common, name] {
      return run_kb_action(common, *name, [](Assembly& a, const KbName& kb) -> Result<void> {
        HENG_TRY(a.knowledge_base().rebuild(a.local_principal(), kb, true));
        Progress progress(say("index", "索引"));
        return a.knowledge().embed_pending(kb, [&](int n, int total) { progress.update(n, total); }, stop_signal());
      }, Models::embedding);
    };
  });
}

}  // namespace

void add_knowledge(CLI::App& app, Common& common, Run& run) {
  auto* ingest = app.add_subcommand("ingest", "read documents (PDF, DOCX, XLSX, PPTX, HTML, Markdown, text, CSV, e-mail) into a knowledge base");
  auto options = std::make_shared<IngestOptions>();
  ingest->add_option("PATH", options->paths, "files or folders")->required();
  ingest->add_option("--kb", options->kb, "knowledge base; made if new")->required();
  ingest->add_option("--language", options->language, "of a new knowledge base: mixed, zh or en (zh uses the Chinese embedding model)")
      ->check(CLI::IsMember({"mixed", "zh", "en"}));
  ingest->add_option("--readers", options->readers, "roles that may read these documents (default: all)")->delimiter(',');
  ingest->add_flag("--prune", options->prune, "also remove documents that are no longer below PATH");
  ingest->add_flag("--words-only", options->words_only, "leave the index by meaning for later (the server computes it too)");
  ingest->footer("May be repeated and interrupted: unchanged files are skipped, changed ones replaced. Works while the server runs.");
  add_common(*ingest, common);
  ingest->callback([&common, &run, options] { run = [&common, options] { return run_ingest(common, *options); }; });

  auto* search = app.add_subcommand("search", "find passages by words and by meaning");
  auto query = std::make_shared<SearchOptions>();
  search->add_option("QUERY", query->query, "what to look for")->required();
  search->add_option("--kb", query->kb, "knowledge base")->required();
  search->add_option("-k", query->k, "how many passages")->check(CLI::Range(1, 200));
  search->add_option("--mode", query->mode, "hybrid, words or meaning")->check(CLI::IsMember({"hybrid", "words", "meaning"}));
  add_common(*search, common);
  search->callback([&common, &run, query] { run = [&common, query] { return run_search(common, *query); }; });
  add_kb(app, common, run);
}

}  // namespace heng::app
