#include "heng/audit/reader.h"

#include "fixture.h"
#include "heng/tlog/merkle.h"
#include "heng/tlog/note.h"
#include <nlohmann/json.hpp>

namespace heng::audit {
namespace {

using nlohmann::json;

const Principal bank{.tenant = TenantId("bank"), .roles = {"auditor"}};
const Principal other{.tenant = TenantId("other"), .roles = {"auditor"}};

TEST(Reader, JoinsOpenAndCloseAndKeepsTenantsApart) {
  Fixture f;
  auto ledger = f.ledger();
  auto first = *ledger->open(opening("first"));
  auto second = *ledger->open(opening("second", "other"));
  ASSERT_OK(ledger->close(second, closing("answer two")));
  ASSERT_OK(ledger->close(first, closing("answer one")));
  ASSERT_OK(ledger->note(opening("refused"), closing("")));
  ASSERT_OK(ledger->open(opening("pending")));
  auto reader = f.reader();
  auto lines = reader->tail(bank, 10, -1);
  ASSERT_OK(lines);
  ASSERT_EQ(lines->size(), 3U);
  const json pending = json::parse((*lines)[0]), refused = json::parse((*lines)[1]), asked = json::parse((*lines)[2]);
  EXPECT_EQ(pending["opened"]["subject"], "pending");
  EXPECT_FALSE(pending.contains("closed"));
  EXPECT_EQ(refused["kind"], "note");
  EXPECT_EQ(asked["opened"]["subject"], "first");
  EXPECT_EQ(asked["closed"]["output"], "answer one");
  EXPECT_EQ(asked["opened_index"], 0);
  EXPECT_EQ(asked["closed_index"], 3);
  EXPECT_FALSE(asked["closed"].contains("prompt_tokens"));
  EXPECT_EQ(reader->tail(bank, 10, 3)->size(), 0U) << "record 0 was on the page before, with its close";
  EXPECT_EQ(reader->tail(bank, 1, -1)->size(), 1U);
  EXPECT_EQ(reader->tail(10, -1)->size(), 4U);

  const json full = json::parse(*reader->get(bank, 0));
  EXPECT_EQ(full["closed"]["output_tokens"], json({7, 8}));
  EXPECT_EQ(full["closed"]["output_forced"], json({1}));
  EXPECT_EQ(reader->get(bank, 1).error().code, ErrorCode::not_found);
  EXPECT_EQ(reader->get(other, 0).error().code, ErrorCode::not_found);
  EXPECT_EQ(reader->proof(other, 0).error().code, ErrorCode::not_found);
  EXPECT_EQ(reader->get(bank, -1).error().code, ErrorCode::not_found);
  EXPECT_EQ(reader->get(bank, 99).error().code, ErrorCode::not_found);
  ASSERT_OK(reader->get(other, 1));
}

TEST(Reader, ConversationsLieUnderKeysOfTheirOwnThatCanGo) {
  Fixture f;
  auto ledger = f.ledger();
  auto office = opening("key for li");
  office.action = "key.create";
  ASSERT_OK(ledger->note(office, closing("k1")));
  const auto asked = *ledger->open(opening("what they asked"));
  EXPECT_TRUE(asked.conversation);
  ASSERT_OK(ledger->close(asked, closing("what they were told")));
  auto reader = f.reader();
  const auto key = reader->record(1)->entry.key_id;
  EXPECT_EQ(reader->record(2)->entry.key_id, key) << "both halves under one key";
  EXPECT_NE(reader->record(0)->entry.key_id, key);
  const auto uses = *reader->key_uses();
  EXPECT_EQ(uses.at(key).records, 2);
  EXPECT_EQ(uses.at(key).newest_ms, 1'760'000'000'500);
  EXPECT_EQ(*f.keyring->destroy_keys({key}), 1);
  EXPECT_TRUE(reader->record(1)->erased && reader->record(2)->erased);
  EXPECT_FALSE(reader->record(0)->erased);
  EXPECT_EQ(f.reader()->verify()->erased, 2u);
  f.expect_whole(3);
  for (const char* action : {"ask", "chat", "search", "feedback", "review.approve"}) EXPECT_TRUE(holds_conversation(action)) << action;
  for (const char* action : {"erase", "hold.set", "vault.show", "refused", "ingest", "retention.done"}) EXPECT_FALSE(holds_conversation(action)) << action;
}

TEST(Reader, ProofsVerifyOutside) {
  Fixture f;
  auto ledger = f.ledger();
  for (int i = 0; i < 700; ++i) ledger->note_async(opening(std::to_string(i)), {}, [](auto) {});
  const std::string key_text = ledger->verifier_key();
  ledger.reset();
  auto reader = f.reader();
  const auto key = *tlog::VerifierKey::parse(key_text);
  const auto hash = [](const std::string& hex) {
    tlog::Hash out;
    const std::string bytes = *from_hex(hex);
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(out.data()));
    return out;
  };
  const auto hashes = [&](const json& list) {
    std::vector<tlog::Hash> out;
    for (const auto& item : list) out.push_back(hash(item));
    return out;
  };
  for (const std::uint64_t index : {0, 255, 256, 511, 699}) {
    const json proof = json::parse(*reader->proof(bank, static_cast<std::int64_t>(index)));
    const auto checkpoint = tlog::open_checkpoint(proof["checkpoint"].get<std::string>(), key);
    ASSERT_OK(checkpoint);
    EXPECT_EQ(checkpoint->size, 700U);
    ASSERT_OK(tlog::verify_inclusion(hash(proof["leaf"]), index, proof["size"], hashes(proof["hashes"]), checkpoint->root));
    EXPECT_EQ(tlog::leaf_hash(*from_base64(proof["entry"].get<std::string>())), hash(proof["leaf"]));
  }
  const json consistency = json::parse(*reader->prove_consistency(300));
  ASSERT_OK(tlog::verify_consistency(300, 700, hash(consistency["first_root"]), hash(consistency["second_root"]), hashes(consistency["hashes"])));
  EXPECT_EQ(json::parse(*reader->checkpoint())["size"], 700);
  EXPECT_FALSE(reader->prove(700).ok());
  EXPECT_FALSE(reader->prove_consistency(701).ok());
}

TEST(Reader, WithholdsTextsAboveTheReadersClearance) {
  Fixture f;
  auto ledger = f.ledger();
  const auto answered = [&](const char* data_class) {
    auto opened = *ledger->open(opening("q"));
    AuditClose close = closing("the secret answer");
    close.tools.push_back({"calculator", "1 + 1", "the secret sum"});
    close.passages.push_back({ChunkId(1), "abc", "the secret paper", 2, 1});
    if (data_class) close.verdicts.push_back({"data_class", "1", data_class, "the secret reason"});
    ASSERT_OK(ledger->close(opened, close));
  };
  for (const char* data_class : {static_cast<const char*>(nullptr), "C1", "C2", "C3", "C9"}) answered(data_class);
  auto reader = f.reader();
  Principal who = bank;
  const DataClass needed[] = {DataClass::c1, DataClass::c1, DataClass::c2, DataClass::c3, DataClass::c3};
  for (const auto clearance : {DataClass::c1, DataClass::c2, DataClass::c3}) {
    who.clearance = clearance;
    const auto lines = *reader->tail(who, 10, -1);
    for (std::size_t i = 0; i < 5; ++i)
      for (const std::string& text : {*reader->get(who, static_cast<std::int64_t>(2 * i)), *reader->get(who, static_cast<std::int64_t>(2 * i + 1)), lines[4 - i]}) {
        const bool may = clearance >= needed[i];
        EXPECT_EQ(text.find("secret") != std::string::npos, may) << i << text;
        const json record = json::parse(text);
        EXPECT_EQ(record["closed"].contains("withheld"), !may);
        EXPECT_EQ(record["closed"].contains("output_tokens"), may && text != lines[4 - i]) << "tokens are the text in other words";
        EXPECT_EQ(record["closed"]["passages"].back()["sha256"], "abc");
        EXPECT_EQ(record["opened"]["subject"], "q");
      }
  }
  EXPECT_NE(reader->get(7)->find("secret"), std::string::npos) << "whoever runs the machine";
}

TEST(Reader, ReplayGetsTokensAndProbabilities) {
  Fixture f;
  auto ledger = f.ledger();
  auto opened = *ledger->open(opening("q"));
  EXPECT_EQ(f.reader()->replayable(0).error().code, ErrorCode::unsupported);
  AuditClose close = closing("a");
  close.output_tokens[0].logprob = -std::numeric_limits<double>::infinity();
  close.sampling.seed = ~std::uint64_t{0};
  ASSERT_OK(ledger->close(opened, close));
  for (const std::uint64_t index : {0, 1}) {
    auto replay = f.reader()->replayable(index);
    ASSERT_OK(replay);
    EXPECT_EQ(replay->prompt_tokens, (std::vector<std::int32_t>{1, 2, 3}));
    EXPECT_EQ(replay->output_tokens, (std::vector<std::int32_t>{7, 8}));
    EXPECT_EQ(replay->logprobs[1], -1.5);
    EXPECT_TRUE(std::isinf(replay->logprobs[0]));
    EXPECT_EQ(replay->sampling.seed, ~std::uint64_t{0});
    EXPECT_EQ(replay->model_sha256, "abc");
  }
  ASSERT_OK(ledger->note(opening("no model"), {}));
  EXPECT_EQ(f.reader()->replayable(2).error().code, ErrorCode::unsupported);
}

TEST(Reader, ErasureKeepsTheProofs) {
  Fixture f;
  auto ledger = f.ledger();
  for (int i = 0; i < 5; ++i) ASSERT_OK(ledger->note(opening("secret", i % 2 == 0 ? "bank" : "other"), closing("x")));
  const std::string before = *f.reader()->prove(0);
  EXPECT_EQ(*f.keyring->destroy(TenantId("bank")), 1);
  auto reader = f.reader();
  auto record = reader->record(0);
  ASSERT_OK(record);
  EXPECT_TRUE(record->erased);
  EXPECT_TRUE(record->json.empty());
  EXPECT_EQ(json::parse(*reader->get(bank, 0))["erased"], true);
  EXPECT_EQ(*reader->prove(0), before);
  ASSERT_OK(reader->record(1));
  EXPECT_FALSE(reader->record(1)->erased);
  auto report = reader->verify();
  ASSERT_OK(report);
  EXPECT_EQ(report->problem_count, 0U);
  EXPECT_EQ(report->erased, 3U);
  ASSERT_OK(ledger->note(opening("new life"), {}));
  EXPECT_NE(f.reader()->get(bank, 5)->find("new life"), std::string::npos);
}

TEST(Reader, VerifyNamesTheRecord) {
  Fixture f;
  {
    auto ledger = f.ledger();
    for (int i = 0; i < 600; ++i) ledger->note_async(opening(std::to_string(i)), closing("some output"), [](auto) {});
  }
  const auto problems_after = [&](const char* file, auto change) {
    const auto path = f.settings.folder / file;
    const std::string good = read_file(path);
    EXPECT_FALSE(good.empty()) << file;
    std::string bad = good;
    change(bad);
    write_file(path, bad);
    auto report = f.reader()->verify();
    write_file(path, good);
    EXPECT_TRUE(report.ok() && report->problem_count > 0) << file;
    return report.ok() && report->problem_count > 0 ? report->problems[0] : VerifyReport::Problem{};
  };
  f.expect_whole(600);
  EXPECT_EQ(*problems_after("tile/entries/001", [](std::string& b) { b[96 * 7 + 50] = static_cast<char>(b[96 * 7 + 50] ^ 1); }).index, 256U + 7);
  EXPECT_EQ(*problems_after("content/001", [](std::string& b) { b[5] = static_cast<char>(b[5] ^ 1); }).index, 256U);
  problems_after("content/000", [](std::string& b) { b.resize(b.size() - 3); });
  problems_after("tile/0/001", [](std::string& b) { b[0] = static_cast<char>(b[0] ^ 1); });
  problems_after("tile/entries/000", [](std::string& b) { std::swap_ranges(b.begin(), b.begin() + 96, b.begin() + 96); });
  problems_after("tile/1/000.p/2", [](std::string& b) { b[3] = static_cast<char>(b[3] ^ 1); });
}

TEST(Reader, AnOlderCheckpointShowsTruncation) {
  Fixture f;
  std::string early, late;
  {
    auto ledger = f.ledger();
    for (int i = 0; i < 10; ++i) ASSERT_OK(ledger->note(opening("x"), {}));
    early = read_file(f.settings.folder / "checkpoint");
    std::filesystem::copy(f.settings.folder, f.folder / "copy", std::filesystem::copy_options::recursive);
    for (int i = 0; i < 10; ++i) ASSERT_OK(ledger->note(opening("y"), {}));
    late = read_file(f.settings.folder / "checkpoint");
  }
  EXPECT_EQ(f.reader()->verify({.old_checkpoint = early})->problem_count, 0U);
  EXPECT_EQ(f.reader()->verify({.old_checkpoint = late})->problem_count, 0U);
  f.settings.folder = f.folder / "copy";  // the ledger put back to an older state
  EXPECT_EQ(f.reader()->verify()->problem_count, 0U) << "by itself it looks whole";
  EXPECT_EQ(f.reader()->verify({.old_checkpoint = late})->problem_count, 1U);
  // and continued otherwise: a split view
  { auto ledger = f.ledger(); for (int i = 0; i < 15; ++i) ASSERT_OK(ledger->note(opening("z"), {})); }
  EXPECT_GE(f.reader()->verify({.old_checkpoint = late})->problem_count, 1U);
  EXPECT_EQ(f.reader()->verify({.old_checkpoint = early})->problem_count, 0U);
  EXPECT_GE(f.reader()->verify({.old_checkpoint = "garbage"})->problem_count, 1U);
}

}  // namespace
}  // namespace heng::audit
