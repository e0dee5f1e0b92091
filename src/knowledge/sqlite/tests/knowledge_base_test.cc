#include "heng/knowledge_sqlite/knowledge_base.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "heng/base/hash.h"
#include "heng/base/text.h"
#include "heng/infer/fake.h"

namespace heng::knowledge_sqlite {
namespace {

namespace fs = std::filesystem;

/// Blank lines part paragraphs, "# " heads; "broken" fails.
class LineParser final : public DocumentParser {
 public:
  Result<ParsedDocument> parse(const std::string&, const std::string& bytes) override {
    ++calls;
    if (bytes.starts_with("broken")) return Error(ErrorCode::malformed_input, "the document is broken");
    ParsedDocument document;
    document.media_type = "text/plain";
    for (const auto line : text::split(bytes, '\n')) {
      if (text::trim(line).empty()) continue;
      Block block;
      block.text = std::string(line);
      if (line.starts_with("# ")) {
        block.kind = BlockKind::heading;
        block.level = 2;
        block.text = block.text.substr(2);
      }
      document.blocks.push_back(std::move(block));
    }
    return document;
  }
  std::atomic<int> calls = 0;
};

class KnowledgeBaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("heng-knowledge-test-" + random_hex(system_random(), 8));
    fs::create_directories(folder_);
    key_ = store::SecretKey::random();
    open();
  }
  void TearDown() override {
    kb_.reset();
    pool_.reset();
    fs::remove_all(folder_);
  }

  store::PoolSettings pool_settings() const {
    store::PoolSettings settings;
    settings.database.path = folder_ / "knowledge.db";
    settings.database.key = key_;
    settings.database.on_open = prepare_connection;
    return settings;
  }
  KnowledgeSettings settings() const {
    KnowledgeSettings s;
    s.embedding_model = "fake-embedding";
    return s;
  }
  void open() {
    kb_.reset();
    pool_.reset();
    auto pool = store::Pool::open(pool_settings(), migrations());
    ASSERT_TRUE(pool.ok()) << pool.error().message;
    pool_ = std::move(*pool);
    auto kb = KnowledgeBase::create(settings(), *pool_, &parser_, &engine_);
    ASSERT_TRUE(kb.ok()) << kb.error().message;
    kb_ = std::move(*kb);
  }

  static Principal who(std::vector<std::string> roles, const std::string& tenant = "bank") {
    Principal p;
    p.tenant = TenantId(tenant);
    p.roles = std::move(roles);
    return p;
  }
  IngestReport add(const std::string& path, const std::string& text, const std::vector<std::string>& readers = {}, const Principal& p = who({"admin"})) {
    auto report = kb_->ingest(p, name_, {path, text}, readers, {});
    EXPECT_TRUE(report.ok()) << report.error().message;
    return report.ok() ? *report : IngestReport{};
  }
  std::vector<std::string> found(const std::string& query, const Principal& p = who({"admin"}), SearchMode mode = SearchMode::words, int k = 10) {
    auto result = kb_->search({p, name_, query, k, mode}, {});
    EXPECT_TRUE(result.ok()) << result.error().message;
    std::vector<std::string> out;
    if (result.ok())
      for (const auto& passage : *result) out.push_back(passage.document_path);
    return out;
  }
  void embed() {
    const auto done = kb_->embed_pending(name_, nullptr, {});
    ASSERT_TRUE(done.ok()) << done.error().message;
  }

  fs::path folder_;
  store::SecretKey key_;
  LineParser parser_;
  infer::FakeInference engine_;
  std::unique_ptr<store::Pool> pool_;
  std::unique_ptr<KnowledgeBase> kb_;
  KbName name_{"products"};
};

using Paths = std::vector<std::string>;

TEST_F(KnowledgeBaseTest, FindsByWordsAtOnceAndByMeaningWhenVectorsAreThere) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  EXPECT_EQ(add("存款.md", "# 存款\n一年期存款利率为1.55%。").outcome, IngestOutcome::added);
  add("cards.md", "# Cards\nThe fee for withdrawals abroad is 1,200.50 yuan.");
  EXPECT_EQ(found("利率"), Paths{"存款.md"});
  EXPECT_EQ(found("息"), Paths{});
  EXPECT_EQ(found("withdrawal fees"), Paths{"cards.md"});
  EXPECT_EQ(found("1200.5"), Paths{"cards.md"});
  auto info = kb_->list(who({})).value();
  ASSERT_EQ(info.size(), 1U);
  EXPECT_EQ(info[0].documents, 2);
  EXPECT_EQ(info[0].chunks_without_vector, 2);
  embed();
  EXPECT_EQ(kb_->list(who({})).value()[0].chunks_without_vector, 0);
  const auto by_meaning = found("存款的利率", who({}), SearchMode::meaning);
  ASSERT_FALSE(by_meaning.empty());
  EXPECT_EQ(by_meaning[0], "存款.md");
  EXPECT_EQ(kb_->documents(who({}), name_).value()[0].status, "ready");
}

TEST_F(KnowledgeBaseTest, IsIncremental) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  EXPECT_EQ(add("a.md", "The first version speaks of pears.").outcome, IngestOutcome::added);
  EXPECT_EQ(add("a.md", "The first version speaks of pears.").outcome, IngestOutcome::unchanged);
  EXPECT_EQ(parser_.calls, 1);
  EXPECT_EQ(add("copy.md", "The first version speaks of pears.").outcome, IngestOutcome::duplicate);
  EXPECT_EQ(add("spaced.md", "The  first version\nspeaks of pears").outcome, IngestOutcome::duplicate);
  EXPECT_EQ(add("a.md", "The second version speaks of apples.").outcome, IngestOutcome::replaced);
  EXPECT_EQ(found("pears"), Paths{});
  EXPECT_EQ(found("apples"), Paths{"a.md"});
  const auto id = kb_->documents(who({}), name_).value().at(0).id;
  EXPECT_EQ(kb_->original(who({}), name_, id).value(), "The second version speaks of apples.");
  ASSERT_TRUE(kb_->remove_document(who({}), name_, id).ok());
  EXPECT_EQ(found("apples"), Paths{});
  EXPECT_EQ(kb_->list(who({})).value()[0].documents, 0);
}

TEST_F(KnowledgeBaseTest, ABrokenDocumentCostsOneLineAndNothingElse) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  add("a.md", "Good text about mortgages.");
  const auto report = add("a.md", "broken");
  EXPECT_EQ(report.outcome, IngestOutcome::failed);
  ASSERT_TRUE(report.error.has_value());
  EXPECT_EQ(found("mortgages"), Paths{"a.md"}) << "the good version stays";
  add("b.md", "broken");
  const auto documents = kb_->documents(who({}), name_).value();
  ASSERT_EQ(documents.size(), 2U);
  EXPECT_EQ(documents[1].status, "failed");
  EXPECT_EQ(documents[1].error, "the document is broken");
  EXPECT_EQ(add("b.md", "Mended text about bonds.").outcome, IngestOutcome::added);
  EXPECT_EQ(kb_->documents(who({}), name_).value().size(), 2U);
}

TEST_F(KnowledgeBaseTest, NamesWhatIsWrongWithACall) {
  EXPECT_EQ(kb_->search({who({}), name_, "x", 5}, {}).error().code, ErrorCode::not_found);
  EXPECT_EQ(kb_->create(who({}), KbName("a b"), "mixed").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(kb_->create(who({}), name_, "fr").error().code, ErrorCode::invalid_argument);
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  EXPECT_EQ(kb_->create(who({}), name_, "mixed").error().code, ErrorCode::already_exists);
  EXPECT_EQ(kb_->search({who({}), name_, "  ", 5}, {}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(kb_->search({who({}), name_, "x", 0}, {}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(kb_->search({who({}), name_, std::string(1 << 20, 'x'), 5}, {}).error().code, ErrorCode::too_large);
  EXPECT_EQ(kb_->ingest(who({}), name_, {"", "x"}, {}, {}).error().code, ErrorCode::invalid_argument);
  EXPECT_TRUE(kb_->search({who({}), name_, "\"quotes\" AND (NEAR OR *) \xff\xfe ' --", 5}, {}).ok());
}

TEST_F(KnowledgeBaseTest, TenantsDoNotMeet) {
  ASSERT_TRUE(kb_->create(who({}, "one"), name_, "mixed").ok());
  ASSERT_TRUE(kb_->create(who({}, "two"), name_, "mixed").ok());
  add("secret.md", "The takeover of Example Corp is planned.", {}, who({}, "one"));
  EXPECT_EQ(found("takeover", who({"admin"}, "two")), Paths{});
  EXPECT_EQ(found("takeover", who({}, "one")), Paths{"secret.md"});
  const auto passage = kb_->search({who({}, "one"), name_, "takeover", 1}, {}).value().at(0);
  EXPECT_EQ(kb_->passage(who({"admin"}, "two"), name_, passage.chunk).error().code, ErrorCode::not_found);
  EXPECT_EQ(kb_->neighbours(who({"admin"}, "two"), name_, passage.chunk, 1, 1).error().code, ErrorCode::not_found);
  EXPECT_EQ(kb_->original(who({"admin"}, "two"), name_, passage.document).error().code, ErrorCode::not_found);
  EXPECT_EQ(kb_->list(who({"admin"}, "three")).value().size(), 0U);
}

TEST_F(KnowledgeBaseTest, AHiddenDocumentCannotBeNoticedOrOverwritten) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  const auto hidden = add("plan.md", "The merger plan is secret.", {"board"}, who({"board"}));
  // the same path and the same bytes by someone who may not read it: as if nothing were there
  EXPECT_EQ(add("plan.md", "The merger plan is secret.", {}, who({"clerk"})).outcome, IngestOutcome::added);
  EXPECT_EQ(kb_->documents(who({"clerk"}), name_).value().size(), 1U);
  EXPECT_EQ(kb_->remove_document(who({"clerk"}), name_, hidden.document).error().code, ErrorCode::not_found);
  EXPECT_EQ(kb_->document(who({"clerk"}), name_, hidden.document).error().code, ErrorCode::not_found);
  EXPECT_EQ(kb_->document_passages(who({"clerk"}), name_, hidden.document).error().code, ErrorCode::not_found);
  EXPECT_EQ(kb_->list(who({"clerk"})).value()[0].documents, 1);
  EXPECT_EQ(kb_->list(who({"board"})).value()[0].documents, 2);
}

TEST_F(KnowledgeBaseTest, RoleDeskAndClassAreAskedInsideSearch) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  add("open.md", "The lending handbook for everyone.");
  add("loans.md", "The lending handbook of the loans desk.", {"analyst", "desk=loans", "class=C2"});
  auto fits = who({"analyst"});
  fits.desk = "loans";
  fits.clearance = DataClass::c2;
  auto other_desk = fits, too_low = fits, other_role = fits;
  other_desk.desk = "cards";
  too_low.clearance = DataClass::c1;
  other_role.roles = {"adviser"};
  const auto sorted = [](Paths paths) { std::sort(paths.begin(), paths.end()); return paths; };
  EXPECT_EQ(sorted(found("lending handbook", fits)), (Paths{"loans.md", "open.md"}));
  for (const auto& stranger : {other_desk, too_low, other_role}) EXPECT_EQ(found("lending handbook", stranger), (Paths{"open.md"}));
  EXPECT_EQ(kb_->ingest(who({"admin"}), name_, {"x.md", "x"}, {"class=C9"}, {}).error().code, ErrorCode::invalid_argument);
}

TEST_F(KnowledgeBaseTest, ErasesASubjectWhoeverMayRead) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  add("keep.md", "The annual fee stays.");
  add("letter.md", "The customer wrote a zebra letter.", {"board", "desk=loans", "subject=C-1"});
  add("other.md", "Another customer wrote of a zebra.", {"subject=C-2"});
  EXPECT_EQ(kb_->erase_subject(TenantId("shop"), "C-1").value(), 0);
  EXPECT_EQ(kb_->erase_subject(TenantId("bank"), "C").value(), 0);
  EXPECT_EQ(kb_->erase_subject(TenantId("bank"), "C-1").value(), 1);
  auto board = who({"board"});
  board.desk = "loans";
  EXPECT_EQ(found("zebra", board), (Paths{"other.md"}));
  EXPECT_EQ(found("annual fee", board), (Paths{"keep.md"}));
  EXPECT_TRUE(kb_->check(who({"admin"}), name_).ok());
}

/// For random readers of random documents: what a principal finds, with which scores and in which order, is what it would
/// find if the documents it may not read did not exist.
TEST_F(KnowledgeBaseTest, SearchIsAsIfForbiddenDocumentsDidNotExist) {
  std::mt19937 random(11);
  const std::vector<std::string> roles = {"teller", "analyst", "board", "auditor"};
  const std::vector<std::string> vocabulary = {"loan", "deposit", "bond", "equity", "risk", "利率", "存款", "贷款", "风险", "债券", "fee", "yield"};
  struct Doc {
    std::string path, text;
    std::vector<std::string> readers;
  };
  std::vector<Doc> documents;
  for (int d = 0; d < 60; ++d) {
    Doc doc{"d" + std::to_string(d), "", {}};
    for (int w = 0; w < 30; ++w) doc.text += vocabulary[random() % vocabulary.size()] + (random() % 4 == 0 ? std::to_string(random() % 50) : "") + " ";
    for (const auto& role : roles)
      if (random() % 3 == 0) doc.readers.push_back(role);
    documents.push_back(doc);
  }
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  for (const auto& d : documents) add(d.path, d.text, d.readers, who({"uploader"}));
  embed();
  int searches = 0;
  for (unsigned subset = 0; subset < 16; subset += 3) {
    std::vector<std::string> mine;
    for (std::size_t r = 0; r < roles.size(); ++r)
      if (subset >> r & 1U) mine.push_back(roles[r]);
    const auto readable = [&](const Doc& d) {
      return d.readers.empty() || std::any_of(d.readers.begin(), d.readers.end(), [&](const auto& r) { return std::find(mine.begin(), mine.end(), r) != mine.end(); });
    };
    const KbName alone("only" + std::to_string(subset));
    ASSERT_TRUE(kb_->create(who({}), alone, "mixed").ok());
    std::set<std::string> allowed;
    for (const auto& d : documents)
      if (readable(d)) {
        ASSERT_TRUE(kb_->ingest(who(mine), alone, {d.path, d.text}, d.readers, {}).ok());
        allowed.insert(d.path);
      }
    ASSERT_TRUE(kb_->embed_pending(alone, nullptr, {}).ok());
    for (const auto mode : {SearchMode::words, SearchMode::meaning, SearchMode::hybrid})
      for (int q = 0; q < 6; ++q) {
        const std::string query = vocabulary[random() % vocabulary.size()] + " " + vocabulary[random() % vocabulary.size()] + " " + std::to_string(random() % 50);
        const auto with = kb_->search({who(mine), name_, query, 10, mode}, {}).value();
        const auto without = kb_->search({who(mine), alone, query, 10, mode}, {}).value();
        ASSERT_EQ(with.size(), without.size()) << query;
        for (std::size_t i = 0; i < with.size(); ++i) {
          ASSERT_TRUE(allowed.contains(with[i].document_path)) << "leak: " << with[i].document_path;
          EXPECT_EQ(with[i].document_path, without[i].document_path) << query;
          EXPECT_DOUBLE_EQ(with[i].score, without[i].score);
          EXPECT_DOUBLE_EQ(with[i].word_score, without[i].word_score);
        }
        ++searches;
      }
    const auto infos = kb_->list(who(mine)).value();
    for (const auto& info : infos) {
      if (info.name != name_) continue;
      EXPECT_EQ(info.documents, static_cast<int>(allowed.size())) << info.name.value;
    }
  }
  EXPECT_GT(searches, 80);
}

TEST_F(KnowledgeBaseTest, NearDuplicatesAreShownOnce) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  const std::string body = "The customer shall notify the bank of the loss of the card without delay by telephone or at a branch and the bank blocks the card at once. "
                           "Until the notice the customer bears the loss up to fifty euro and after it the bank bears all of it.";
  for (int i = 0; i < 5; ++i) add("copy" + std::to_string(i), body + " See also section " + std::string(1, static_cast<char>('a' + i)) + ".");
  add("other", "A lost card is replaced within five days for a fee.");
  const auto paths = found("loss of the card");
  EXPECT_EQ(paths.size(), 2U);
  EXPECT_EQ(kb_->list(who({})).value()[0].documents, 6);
}

TEST_F(KnowledgeBaseTest, FollowsAnotherProcess) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  add("a.md", "About apples.");
  EXPECT_EQ(found("apples pears"), Paths{"a.md"});
  auto other_pool = store::Pool::open(pool_settings(), migrations()).value();
  auto other = KnowledgeBase::create(settings(), *other_pool, &parser_, &engine_).value();
  ASSERT_TRUE(other->ingest(who({}), name_, {"b.md", "About pears."}, {}, {}).ok());
  EXPECT_EQ(found("pears"), Paths{"b.md"});
  ASSERT_TRUE(other->embed_pending(name_, nullptr, {}).ok());
  EXPECT_EQ(found("About pears.", who({}), SearchMode::meaning, 1), Paths{"b.md"});
  ASSERT_TRUE(other->remove_document(who({}), name_, kb_->documents(who({}), name_).value().at(0).id).ok());
  EXPECT_EQ(found("apples pears"), Paths{"b.md"});
  ASSERT_TRUE(other->remove(who({"admin"}), name_).ok());
  EXPECT_EQ(kb_->search({who({}), name_, "pears", 3}, {}).error().code, ErrorCode::not_found);
}

TEST_F(KnowledgeBaseTest, WorkersShareTheVectorsAndAskingGoesOn) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  for (int i = 0; i < 120; ++i) add("d" + std::to_string(i), "Document number " + std::to_string(i) + " about credit lines.");
  std::atomic<bool> done = false;
  std::atomic<int> asked = 0;
  std::thread asker([&] {
    while (!done) {
      EXPECT_TRUE(kb_->search({who({}), name_, "credit lines", 5, SearchMode::hybrid}, {}).ok());
      ++asked;
    }
  });
  std::vector<std::thread> workers;
  for (int w = 0; w < 3; ++w) workers.emplace_back([&] { EXPECT_TRUE(kb_->embed_pending(name_, nullptr, {}).ok()); });
  for (auto& worker : workers) worker.join();
  done = true;
  asker.join();
  EXPECT_GT(asked, 0);
  auto reader = pool_->reader().value();
  EXPECT_EQ(reader->query_integer("SELECT count(*) FROM chunk_vector").value(), 120);
  EXPECT_EQ(reader->query_integer("SELECT count(*) FROM chunk_pending").value(), 0);
}

TEST_F(KnowledgeBaseTest, VectorsOfTwoModelsAreNeverMixed) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  add("a.md", "About apples.");
  embed();
  infer::FakeInference::Settings other;
  other.dimensions = 32;
  infer::FakeInference other_engine(other);
  kb_ = KnowledgeBase::create(settings(), *pool_, &parser_, &other_engine).value();
  add("b.md", "About pears.");
  EXPECT_EQ(kb_->embed_pending(name_, nullptr, {}).error().code, ErrorCode::conflict);
  EXPECT_EQ(found("pears", who({}), SearchMode::hybrid), Paths{"b.md"}) << "words still find";
  ASSERT_TRUE(kb_->rebuild(who({}), name_, true).ok());
  embed();
  EXPECT_EQ(found("About apples.", who({}), SearchMode::meaning, 1), Paths{"a.md"});
}

TEST_F(KnowledgeBaseTest, ADamagedIndexIsSeenAndMended) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  for (int i = 0; i < 50; ++i) add("d" + std::to_string(i), "Document " + std::to_string(i) + " about annuities and 年金 plans.");
  embed();
  ASSERT_TRUE(kb_->check(who({}), name_).ok());
  {
    auto writer = pool_->writer().value();
    ASSERT_TRUE(writer->execute("UPDATE words_1_data SET block = x'00ff00ff00ff' WHERE id > 1").ok());
    ASSERT_TRUE(writer->execute("DELETE FROM chunk_vector WHERE id = 3").ok());
  }
  open();
  EXPECT_EQ(kb_->check(who({}), name_).error().code, ErrorCode::corrupt);
  const auto result = kb_->search({who({}), name_, "annuities", 5, SearchMode::words}, {});
  if (!result.ok()) {
    EXPECT_EQ(result.error().code, ErrorCode::corrupt);
    EXPECT_NE(result.error().message.find("rebuild"), std::string::npos);
  }
  const auto mended = kb_->rebuild(who({}), name_, false);
  ASSERT_TRUE(mended.ok()) << mended.error().message;
  embed();
  const auto checked = kb_->check(who({}), name_);
  EXPECT_TRUE(checked.ok()) << checked.error().message;
  EXPECT_EQ(found("annuities").size(), 10U);
}

/// A child is killed while it ingests and embeds; what is left is whole documents only, and the work can go on.
TEST_F(KnowledgeBaseTest, AKillLeavesNoHalfDocument) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  kb_.reset();
  pool_.reset();
  std::mt19937 random(5);
  int version = 0;
  for (int round = 0; round < 12; ++round) {
    ++version;
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto pool = store::Pool::open(pool_settings(), migrations());
      if (!pool.ok()) ::_exit(1);
      auto kb = KnowledgeBase::create(settings(), **pool, &parser_, &engine_);
      for (int i = 0; kb.ok() && i < 1000; ++i) {
        std::string text;
        for (int p = 0; p < 40; ++p) text += "# Part " + std::to_string(p) + "\nVersion" + std::to_string(version) + " of " + std::to_string(i) + std::string(300, 'x') + "\n";
        if (!(*kb)->ingest(who({}), name_, {"doc" + std::to_string(i % 7), text}, {}, {}).ok()) ::_exit(2);
        if (i % 3 == 0 && !(*kb)->embed_pending(name_, nullptr, {}).ok()) ::_exit(3);
      }
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random() % 250));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0) << WEXITSTATUS(status);
    auto pool = store::Pool::open(pool_settings(), migrations());
    ASSERT_TRUE(pool.ok()) << pool.error().message;
    auto reader = (*pool)->reader().value();
    EXPECT_EQ(reader->query_integer("SELECT count(*) FROM document d WHERE d.chunks <> (SELECT count(*) FROM chunk c WHERE c.document_id = d.id)").value(), 0);
    EXPECT_EQ(reader->query_integer("SELECT count(*) FROM chunk c LEFT JOIN words_1_docsize w ON w.id = c.id WHERE w.id IS NULL").value(), 0);
    EXPECT_LE(reader->query_integer("SELECT coalesce(max(n), 0) FROM (SELECT count(*) n FROM document GROUP BY path)").value(), 1);
  }
  open();
  // the killed workers' claims run out
  ASSERT_TRUE(pool_->writer().value()->execute("UPDATE chunk_pending SET claimed_until_ms = 0").ok());
  embed();
  EXPECT_TRUE(kb_->check(who({}), name_).ok());
}

TEST_F(KnowledgeBaseTest, NothingReadableOnDisk) {
  ASSERT_TRUE(kb_->create(who({}), name_, "mixed").ok());
  add("report.md", "The zanzibar acquisition closes in March.");
  found("zanzibar");
  for (const auto& entry : fs::directory_iterator(folder_)) {
    std::FILE* file = std::fopen(entry.path().c_str(), "rb");
    ASSERT_NE(file, nullptr);
    std::string bytes(static_cast<std::size_t>(fs::file_size(entry.path())), '\0');
    ASSERT_EQ(std::fread(bytes.data(), 1, bytes.size(), file), bytes.size());
    std::fclose(file);
    EXPECT_EQ(bytes.find("zanzibar"), std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace heng::knowledge_sqlite
