// Trains a tagger: averaged structured perceptron (Collins 2002) on sentences with spans.
// usage: heng-pii-train zh|en TRAIN.jsonl WORDS.txt OUT.tag [HELDOUT.jsonl] [--rows N] [--epochs N]
//   lines {"text": "…", "spans": [[begin, end, "type"], …]} with code points; words: "word<TAB>bits"
#include <algorithm>
#include <cmath>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "heng/base/text.h"
#include "heng/guard_pii/tagger.h"

namespace {

using heng::guard_pii::Token;
using Json = nlohmann::json;

struct Sentence {
  std::vector<Token> tokens;
  std::vector<int> tags;
  std::vector<std::vector<std::uint32_t>> rows;
};

struct Trainer {
  bool chinese = false;
  std::vector<std::string> entities;
  std::unordered_map<std::uint32_t, std::uint8_t> words;
  std::unordered_map<std::uint32_t, std::uint32_t> row_of;
  std::vector<std::uint32_t> key_of;
  std::size_t tags = 1;
  std::vector<float> w, total;              // [row][tag]
  std::vector<std::int32_t> last;           // step of the last update of each cell
  std::vector<float> tw, ttotal;            // transitions
  std::int32_t step = 0;

  int entity(const std::string& name) {
    const auto found = std::find(entities.begin(), entities.end(), name);
    if (found != entities.end()) return static_cast<int>(found - entities.begin());
    entities.push_back(name);
    return static_cast<int>(entities.size()) - 1;
  }

  std::vector<Sentence> read(const char* file, std::mt19937* dropout) {
    std::vector<Sentence> out;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      const Json row = Json::parse(line);
      Sentence s;
      const std::string text = row["text"];
      s.tokens = heng::guard_pii::tokenise(text);
      s.tags.assign(s.tokens.size(), 0);
      for (const auto& span : row["spans"]) {
        const auto begin = heng::text::byte_offset(text, span[0]), end = heng::text::byte_offset(text, span[1]);
        const int kind = entity(span[2]);
        bool first = true;
        for (std::size_t i = 0; i < s.tokens.size(); ++i)
          if (s.tokens[i].begin < end && s.tokens[i].end > begin) {
            s.tags[i] = kind * 2 + (first ? 1 : 2);
            first = false;
          }
      }
      heng::guard_pii::look_up_words(s.tokens, [this](std::uint32_t hash) {
        const auto found = words.find(hash);
        return found == words.end() ? std::uint8_t{0} : found->second;
      });
      for (auto& token : s.tokens) {
        // lists are never complete: learn to do without
        if (dropout && chinese && std::uniform_int_distribution<>(0, 99)(*dropout) < 8) token.lower = "?";  // nor are contexts
        if (dropout && token.lists && std::uniform_int_distribution<>(0, 99)(*dropout) < (chinese ? 5 : 30)) token.lists = 0;
      }
      out.push_back(std::move(s));
    }
    return out;
  }

  void index(std::vector<Sentence>& sentences, bool make) {
    std::vector<std::uint32_t> features;
    std::unordered_map<std::uint32_t, int> count;
    if (make) {
      for (const auto& s : sentences)
        for (std::size_t i = 0; i < s.tokens.size(); ++i) {
          features.clear();
          heng::guard_pii::features_of(s.tokens, i, chinese, features);
          for (const auto f : features) ++count[f];
        }
      for (const auto& [key, n] : count)
        if (n >= 3) {
          row_of[key] = static_cast<std::uint32_t>(key_of.size());
          key_of.push_back(key);
        }
    }
    for (auto& s : sentences) {
      s.rows.resize(s.tokens.size());
      for (std::size_t i = 0; i < s.tokens.size(); ++i) {
        features.clear();
        heng::guard_pii::features_of(s.tokens, i, chinese, features);
        for (const auto f : features)
          if (const auto found = row_of.find(f); found != row_of.end()) s.rows[i].push_back(found->second);
      }
    }
  }

  std::vector<int> decode(const Sentence& s) const {
    const std::size_t n = s.tokens.size();
    std::vector<float> scores(tags), next(tags), here(tags);
    std::vector<std::uint8_t> back(n * tags);
    for (std::size_t i = 0; i < n; ++i) {
      std::fill(here.begin(), here.end(), 0.f);
      for (const auto row : s.rows[i])
        for (std::size_t t = 0; t < tags; ++t) here[t] += w[row * tags + t];
      for (std::size_t t = 0; t < tags; ++t) {
        const bool inside = t > 0 && t % 2 == 0;
        float best = -1e9f;
        std::uint8_t from = 0;
        if (i == 0) best = inside ? -1e9f : 0.f;
        else
          for (std::size_t p = inside ? t - 1 : 0; p < (inside ? t + 1 : tags); ++p)
            if (const float v = scores[p] + tw[p * tags + t]; v > best) best = v, from = static_cast<std::uint8_t>(p);
        next[t] = best + here[t];
        back[i * tags + t] = from;
      }
      std::swap(scores, next);
    }
    std::vector<int> path(n);
    auto best = static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
    for (std::size_t i = n; i-- > 0;) path[i] = static_cast<int>(best), best = back[i * tags + best];
    return path;
  }

  void bump(std::size_t cell, float by) {
    total[cell] += w[cell] * static_cast<float>(step - last[cell]);
    last[cell] = step;
    w[cell] += by;
  }
  void learn(const Sentence& s, const std::vector<int>& guess) {
    for (std::size_t i = 0; i < s.tags.size(); ++i) {
      const auto good = static_cast<std::size_t>(s.tags[i]), bad = static_cast<std::size_t>(guess[i]);
      if (good != bad)
        for (const auto row : s.rows[i]) bump(row * tags + good, 1), bump(row * tags + bad, -1);
      if (i > 0 && (good != bad || s.tags[i - 1] != guess[i - 1])) {
        const std::size_t a = static_cast<std::size_t>(s.tags[i - 1]) * tags + good, b = static_cast<std::size_t>(guess[i - 1]) * tags + bad;
        tw[a] += 1;
        tw[b] -= 1;
      }
    }
  }
  void train(std::vector<Sentence>& sentences, int epochs) {
    tags = entities.size() * 2 + 1;
    w.assign(key_of.size() * tags, 0);
    total = w;
    last.assign(w.size(), 0);
    tw.assign(tags * tags, 0);
    ttotal = tw;
    std::vector<std::size_t> order(sentences.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::mt19937 random(7);
    for (int epoch = 0; epoch < epochs; ++epoch) {
      std::shuffle(order.begin(), order.end(), random);
      std::size_t wrong = 0;
      for (const auto at : order) {
        const auto guess = decode(sentences[at]);
        ++step;
        if (guess != sentences[at].tags) ++wrong, learn(sentences[at], guess);
        for (std::size_t i = 0; i < tw.size(); ++i) ttotal[i] += tw[i];
      }
      std::fprintf(stderr, "epoch %d: %zu of %zu sentences wrong\n", epoch + 1, wrong, sentences.size());
    }
    for (std::size_t i = 0; i < w.size(); ++i) {
      total[i] += w[i] * static_cast<float>(step - last[i]);
      w[i] = total[i] / static_cast<float>(step);
    }
    for (std::size_t i = 0; i < tw.size(); ++i) tw[i] = ttotal[i] / static_cast<float>(step);
  }

  void write(const char* file, std::size_t most_rows) const {
    std::vector<std::pair<float, std::uint32_t>> strength;
    for (std::uint32_t row = 0; row < key_of.size(); ++row) {
      float best = 0;
      for (std::size_t t = 0; t < tags; ++t) best = std::max(best, std::abs(w[row * tags + t]));
      if (best > 0.02f) strength.push_back({best, row});
    }
    std::sort(strength.rbegin(), strength.rend());
    if (strength.size() > most_rows) strength.resize(most_rows);
    const float top = strength.empty() ? 1.f : strength[strength.size() / 2000].first;  // the few largest are clipped
    const float scale = 127.f / top;
    std::sort(strength.begin(), strength.end(), [&](const auto& a, const auto& b) { return key_of[a.second] < key_of[b.second]; });
    std::string out = "HENGTAG1";
    const auto number = [&](std::uint32_t n) { out.append(reinterpret_cast<const char*>(&n), 4); };
    number(static_cast<std::uint32_t>(entities.size()));
    for (const auto& name : entities) number(static_cast<std::uint32_t>(name.size())), out += name;
    for (const float v : tw) number(static_cast<std::uint32_t>(static_cast<std::int32_t>(std::lround(v * scale))));
    number(static_cast<std::uint32_t>(strength.size()));
    for (const auto& [s, row] : strength) number(key_of[row]);
    for (const auto& [s, row] : strength)
      for (std::size_t t = 0; t < tags; ++t) out += static_cast<char>(static_cast<std::int8_t>(std::clamp(std::lround(w[row * tags + t] * scale), -127L, 127L)));
    std::map<std::uint32_t, std::uint8_t> sorted(words.begin(), words.end());
    number(static_cast<std::uint32_t>(sorted.size()));
    for (const auto& [key, bits] : sorted) number(key);
    for (const auto& [key, bits] : sorted) out += static_cast<char>(bits);
    std::ofstream(file, std::ios::binary) << out;
    std::fprintf(stderr, "%s: %zu rows, %zu words, %zu bytes\n", file, strength.size(), sorted.size(), out.size());
  }
};

using Spans = std::set<std::tuple<std::size_t, std::size_t, int>>;
Spans spans_of(const std::vector<int>& tags) {
  Spans out;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    if (tags[i] == 0) continue;
    const int kind = (tags[i] - 1) / 2;
    std::size_t end = i + 1;
    while (end < tags.size() && tags[end] == kind * 2 + 2) ++end;
    out.insert({i, end, kind});
    i = end - 1;
  }
  return out;
}

/// Exact spans by type, and tokens inside any entity.
void report(const Trainer& trainer, const std::vector<Sentence>& sentences, const std::vector<std::vector<int>>& guesses) {
  std::map<int, std::array<int, 3>> by_type;
  std::array<int, 3> tokens{};
  for (std::size_t k = 0; k < sentences.size(); ++k) {
    const auto gold = spans_of(sentences[k].tags), got = spans_of(guesses[k]);
    for (const auto& s : gold) ++by_type[std::get<2>(s)][got.contains(s) ? 0 : 1];
    for (const auto& s : got) by_type[std::get<2>(s)][2] += !gold.contains(s);
    for (std::size_t i = 0; i < guesses[k].size(); ++i) {
      const bool g = sentences[k].tags[i] != 0, p = guesses[k][i] != 0;
      tokens[0] += g && p, tokens[1] += g && !p, tokens[2] += !g && p;
    }
  }
  const auto line = [](const std::string& name, const std::array<int, 3>& c) {
    const double p = c[0] / std::max(1.0, double(c[0] + c[2])), r = c[0] / std::max(1.0, double(c[0] + c[1]));
    std::printf("%-18s P %.3f R %.3f F1 %.3f (%d)\n", name.c_str(), p, r, p + r > 0 ? 2 * p * r / (p + r) : 0, c[0] + c[1]);
  };
  if (const char* wanted = std::getenv("SHOW_ERRORS"); wanted) {
    int shown = 0;
    for (std::size_t k = 0; k < sentences.size() && shown < std::atoi(wanted); ++k) {
      const auto gold = spans_of(sentences[k].tags), got = spans_of(guesses[k]);
      if (gold == got) continue;
      ++shown;
      const auto show = [&](const Spans& spans, const Spans& other, const char* sign) {
        for (const auto& s : spans) {
          if (other.contains(s)) continue;
          std::printf(" %s%s:", sign, trainer.entities[static_cast<std::size_t>(std::get<2>(s))].c_str());
          for (std::size_t i = std::get<0>(s); i < std::get<1>(s); ++i) std::printf(" %s", sentences[k].tokens[i].lower == "\n" ? "/" : sentences[k].tokens[i].lower.c_str());
        }
      };
      show(gold, got, "-");
      show(got, gold, "+");
      std::printf("   [");
      for (const auto& token : sentences[k].tokens) std::printf("%s%s", trainer.chinese ? "" : " ", token.lower == "\n" ? "/" : token.lower.c_str());
      std::printf("]\n");
    }
  }
  for (const auto& [kind, counts] : by_type) line(trainer.entities[static_cast<std::size_t>(kind)], counts);
  line("tokens, any type", tokens);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> plain;
  std::size_t rows = 24000;
  int epochs = 8;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--rows") && i + 1 < argc) rows = std::stoul(argv[++i]);
    else if (!std::strcmp(argv[i], "--epochs") && i + 1 < argc) epochs = std::stoi(argv[++i]);
    else plain.emplace_back(argv[i]);
  }
  if (plain.size() < 4) {
    std::fprintf(stderr, "usage: heng-pii-train zh|en TRAIN.jsonl WORDS.txt OUT.tag [HELDOUT.jsonl] [--rows N] [--epochs N]\n");
    return 2;
  }
  Trainer trainer;
  trainer.chinese = plain[0] == "zh";
  std::ifstream lists(plain[2]);
  for (std::string line; std::getline(lists, line);) {
    const auto tab = line.find('\t');
    if (tab != std::string::npos) trainer.words[heng::guard_pii::list_hash(line.substr(0, tab))] |= static_cast<std::uint8_t>(std::stoi(line.substr(tab + 1)));
  }
  std::mt19937 random(1);
  auto train = trainer.read(plain[1].c_str(), &random);
  trainer.index(train, true);
  std::fprintf(stderr, "%zu sentences, %zu features, %zu entities\n", train.size(), trainer.key_of.size(), trainer.entities.size());
  trainer.train(train, epochs);
  trainer.write(plain[3].c_str(), rows);
  if (plain.size() > 4) {
    auto held_out = trainer.read(plain[4].c_str(), nullptr);
    trainer.index(held_out, false);
    std::vector<std::vector<int>> guesses;
    for (const auto& s : held_out) guesses.push_back(trainer.decode(s));
    report(trainer, held_out, guesses);
  }
  return 0;
}
