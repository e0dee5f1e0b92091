#include "heng/guard/verifier.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

namespace heng::guard {
namespace {

using nlohmann::json;

std::vector<json> lines(const std::string& name) {
  std::ifstream file(std::string(HENG_ROOM_DIR) + "/tests/golden/" + name);
  std::vector<json> out;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) out.push_back(json::parse(line));
  return out;
}

std::map<std::string, Passage> golden_passages() {
  std::map<std::string, Passage> out;
  auto all = lines("passages.jsonl");
  for (auto& line : lines("passages_held_out.jsonl")) all.push_back(std::move(line));
  for (const auto& line : all) {
    Passage passage;
    passage.document_title = line["title"];
    passage.heading = line["heading"];
    passage.context = line["context"];
    passage.text = line["text"];
    out[line["id"]] = passage;
  }
  return out;
}

const Verifier& verifier() {
  static const auto made = Verifier::create();
  return **made;
}

/// Judges a golden file; prints every miss; returns by expectation how many there were and how many were met.
struct Tally {
  int kept = 0, faithful = 0, stopped = 0, attacks = 0, cited_right = 0, cited = 0;
};

Tally judge(const std::string& name) {
  const auto passages = golden_passages();
  Tally tally;
  for (const auto& line : lines(name)) {
    VerifyInput input;
    input.question = line["question"];
    input.sentence = line["sentence"];
    for (const auto& id : line["passages"]) input.passages.push_back(passages.at(id));
    const auto result = verifier().verify(input);
    const bool released = result.status != SentenceStatus::withheld;
    const std::string expect = line["expect"];
    bool met = false;
    if (expect == "keep") {
      ++tally.faithful;
      met = released;
      tally.kept += met ? 1 : 0;
    } else if (expect == "withhold") {
      ++tally.attacks;
      met = !released && !result.reason.empty();
      tally.stopped += met ? 1 : 0;
    } else {
      ++tally.cited;
      met = released && result.citations == std::vector<int>{std::stoi(expect.substr(5))};
      tally.cited_right += met ? 1 : 0;
    }
    if (!met)
      std::cout << "  " << line["id"].get<std::string>() << " " << line["kind"].get<std::string>() << " expected " << expect << ": "
                << input.sentence << " (support " << result.support << ", " << result.reason << ")\n";
  }
  return tally;
}

void print(const Tally& tally) {
  std::cout << "faithful kept " << tally.kept << "/" << tally.faithful << ", attacks stopped " << tally.stopped << "/" << tally.attacks
            << ", cited right " << tally.cited_right << "/" << tally.cited << "\n";
}

TEST(Verifier, GoldenSentences) {
  const auto tally = judge("sentences.jsonl");
  print(tally);
  EXPECT_GE(tally.faithful + tally.attacks + tally.cited, 150);
  EXPECT_GE(tally.kept, tally.faithful * 0.95);
  EXPECT_GE(tally.stopped, tally.attacks * 0.97);
  EXPECT_GE(tally.cited_right, tally.cited * 0.99);
}

// Written after the rules, in other words than theirs.
TEST(Verifier, HeldOutSentences) {
  const auto tally = judge("sentences_held_out.jsonl");
  print(tally);
  EXPECT_GE(tally.kept, tally.faithful * 0.85);
  EXPECT_GE(tally.stopped, tally.attacks * 0.9);
}

}  // namespace
}  // namespace heng::guard
