// Trains the n-gram stage. usage: heng-injection-train DATA_DIR OUT.lin [--bipia FILE]… [--harmless FILE]… [--held-out FILE]
//   DATA_DIR holds attacks*_LANGUAGE.txt and benign*_LANGUAGE.txt; --bipia: BIPIA attacks (JSON: category → texts); --harmless: text, a line each;
//   --held-out: where to write, for the encoder stage, JSON Lines of texts with label, fold and the log-odds of weights that never saw the fold.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "feature_set.h"

namespace {

using namespace heng::guard_injection;
using Random = std::mt19937;

struct Example {
  std::vector<Feature> features;
  float label = 0, weight = 1;
  int fold = 0;          ///< Sentences of one pattern are of one fold.
  bool counts = true;    ///< For the scaling and the threshold: not the many variations of one pattern.
  std::string text;      ///< Kept where it counts.
};

/// "attacks_more_en.txt", "attacks_en.txt" … of a language, in the order of their names.
std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder, const std::string& kind, const std::string& language) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(kind) && name.ends_with("_" + language + ".txt")) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::vector<std::string> out;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && line[0] != '#') out.push_back(line);
  return out;
}

/// "{a|b} c" with one of each.
std::string chosen(Random& r, const std::string& line) {
  std::string out;
  for (std::size_t i = 0; i < line.size();) {
    const std::size_t close = line[i] == '{' ? line.find('}', i) : std::string::npos;
    if (close == std::string::npos) {
      out += line[i++];
      continue;
    }
    std::vector<std::string> parts(1);
    for (std::size_t k = i + 1; k < close; ++k)
      if (line[k] == '|') parts.emplace_back();
      else parts.back() += line[k];
    out += parts[std::uniform_int_distribution<std::size_t>(0, parts.size() - 1)(r)];
    i = close + 1;
  }
  return out;
}

std::string disguised(Random& r, const std::string& s) {
  const int how = std::uniform_int_distribution<>(0, 24)(r);
  std::string out;
  if (how == 0)
    for (const char c : s) out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  else if (how == 1)
    for (const char c : s) out += c == 'e' ? '3' : c == 'o' ? '0' : c == 'i' ? '1' : c;
  else if (how == 2)
    for (std::size_t i = 0; i < s.size(); ++i) {
      out += s[i];
      if (i % 5 == 4 && (i + 1 >= s.size() || (static_cast<unsigned char>(s[i + 1]) & 0xC0) != 0x80)) out += "\u200b";
    }
  else out = s;
  return out;
}

/// Half of the words of attacks put into other words for the same, so that no wording is learnt by heart.
std::string reworded(Random& r, const Concepts& concepts, const std::string& text) {
  const std::string s = prepared(text);
  auto hits = concepts.find(s);
  if (!hits.ok()) return text;
  std::string out;
  std::size_t at = 0;
  for (const auto& hit : *hits) {
    if (hit.begin < at || r() % 2) continue;
    const bool latin = s[hit.begin] >= 'a' && s[hit.begin] <= 'z';
    const auto& words = concepts.words(hit.kind, latin);
    if (words.empty()) continue;
    out += s.substr(at, hit.begin - at) + words[r() % words.size()];
    at = hit.end;
  }
  return out + s.substr(at);
}

constexpr int folds = 5;

struct Weights {
  std::vector<float> w = std::vector<float>(feature_count, 0);
  float bias = 0;
  float score(const Example& e) const {
    float sum = bias;
    for (const auto& f : e.features) sum += w[f.id] * f.value;
    return sum;
  }
};

/// AdaGrad on everything but one fold; n-grams are held shorter than concepts, so that what generalises carries the decision.
Weights trained(const std::vector<Example>& all, int without) {
  Weights out;
  std::vector<float> g2(feature_count, 1e-6f);
  float bias_g2 = 1e-6f;
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].fold != without) order.push_back(i);
  Random random(17);
  for (int epoch = 0; epoch < 8; ++epoch) {
    std::shuffle(order.begin(), order.end(), random);
    for (const auto at : order) {
      const auto& e = all[at];
      const float p = 1 / (1 + std::exp(-out.score(e)));
      const float gradient = (p - e.label) * e.weight;
      bias_g2 += gradient * gradient;
      out.bias -= 0.2f * gradient / std::sqrt(bias_g2);
      for (const auto& f : e.features) {
        const float l2 = f.id < dense_count ? 2e-4f : 2e-3f;
        const float g = gradient * f.value + l2 * out.w[f.id];
        g2[f.id] += g * g;
        out.w[f.id] -= 0.2f * g / std::sqrt(g2[f.id]);
      }
    }
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: heng-injection-train DATA_DIR OUT.lin [--bipia FILE]… [--harmless FILE]…\n"), 2;
  const std::filesystem::path data = argv[1];
  auto concepts = Concepts::create();
  if (!concepts.ok()) return std::fprintf(stderr, "%s\n", concepts.error().message.c_str()), 1;
  Random random(9);
  std::vector<std::string> harmless, attacks;
  std::string held_out;
  for (int i = 3; i + 1 < argc; i += 2) {
    if (!std::strcmp(argv[i], "--held-out")) held_out = argv[i + 1];
    if (!std::strcmp(argv[i], "--harmless"))
      for (auto& line : lines_of(argv[i + 1])) harmless.push_back(std::move(line));
    if (!std::strcmp(argv[i], "--bipia")) {
      const auto json = nlohmann::json::parse(std::ifstream(argv[i + 1]));
      // questions of a foreign task are no attack by themselves; orders about the answer are
      for (const auto& [category, texts] : json.items())
        for (const auto& text : texts)
          if (category != "Information Retrieval" && category != "Learning and Tutoring" && category != "Content Creation" && category != "Language Translation" && category != "Programming Help")
            attacks.push_back(text);
    }
  }
  std::vector<Example> all;
  const auto add = [&](const std::string& text, float label, int fold, bool counts, float weight = 1) {
    auto features = features_of(**concepts, prepared(text), text);
    if (features.ok()) all.push_back({std::move(*features), label, weight, fold, counts, counts ? text : std::string()});
  };
  const auto some_harmless = [&] { return harmless.empty() ? std::string() : harmless[std::uniform_int_distribution<std::size_t>(0, harmless.size() - 1)(random)]; };
  for (const char* language : {"en", "zh"}) {
    int n = 0;
    for (const auto& file : files_of(data, "attacks", language)) for (const auto& line : lines_of(file)) {
      const int fold = ++n % folds, copies = line.find('{') == std::string::npos ? 6 : 24;
      for (int k = 0; k < copies; ++k) {
        std::string text = disguised(random, chosen(random, line));
        if (k % 4 == 3) text = reworded(random, **concepts, text);
        if (k % 3 == 1) text = some_harmless() + " " + text;
        if (k % 3 == 2) text += " " + some_harmless();
        add(text, 1, fold, k < 4 && k % 4 != 3);
      }
    }
    n = 0;
    for (const auto& file : files_of(data, "benign", language)) for (const auto& line : lines_of(file)) {
      const int fold = ++n % folds, copies = line.find('{') == std::string::npos ? 6 : 24;
      for (int k = 0; k < copies; ++k) {
        std::string text = chosen(random, line);
        if (k % 4 == 3) text = reworded(random, **concepts, text);
        add((k % 4 == 2 ? some_harmless() + " " : "") + text, 0, fold, k < 3, 1.5f);
      }
    }
  }
  int n = 0;
  for (const auto& text : attacks) {
    ++n;
    for (int k = 0; k < 8; ++k) add(k % 2 ? some_harmless() + " " + text : text, 1, n % folds, k < 2, 0.5f);
  }
  for (std::size_t i = 0; i < harmless.size(); ++i) add(harmless[i], 0, static_cast<int>(i % folds), true);
  std::fprintf(stderr, "%zu examples\n", all.size());

  // each fold scored by weights that never saw its patterns; then weights of all for the product
  std::vector<std::pair<float, float>> held;
  std::ofstream kept;
  if (!held_out.empty()) kept.open(held_out);
  for (int fold = 0; fold < folds; ++fold) {
    const Weights w = trained(all, fold);
    for (const auto& e : all)
      if (e.fold == fold && e.counts) {
        held.push_back({w.score(e), e.label});
        if (kept.is_open()) kept << nlohmann::json({{"text", e.text}, {"label", e.label}, {"fold", e.fold}, {"odds", held.back().first}}).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
      }
  }
  const Weights w = trained(all, -1);
  float top = 1e-6f;
  for (std::size_t i = dense_count; i < feature_count; ++i) top = std::max(top, std::abs(w.w[i]));
  const float gram_scale = top / 127, bias = w.bias;
  std::vector<std::int8_t> grams(ngram_buckets);
  for (std::size_t i = 0; i < ngram_buckets; ++i) grams[i] = static_cast<std::int8_t>(std::lround(w.w[dense_count + i] / gram_scale));
  double a = 1, b = 0;
  for (int step = 0; step < 4000; ++step) {
    double ga = 0, gb = 0;
    for (const auto& [s, y] : held) {
      const double p = 1 / (1 + std::exp(-(a * s + b)));
      ga += (p - y) * s, gb += p - y;
    }
    a -= 0.02 * ga / static_cast<double>(held.size());
    b -= 0.02 * gb / static_cast<double>(held.size());
  }
  std::vector<double> negatives, positives;
  for (const auto& [score, y] : held) (y > 0 ? positives : negatives).push_back(1 / (1 + std::exp(-(a * score + b))));
  std::sort(negatives.rbegin(), negatives.rend());
  double threshold = 0.5;
  for (const double rate : {0.002, 0.005, 0.01, 0.02, 0.05}) {
    const double at = negatives[static_cast<std::size_t>(rate * static_cast<double>(negatives.size()))];
    const auto caught = std::count_if(positives.begin(), positives.end(), [&](double p) { return p > at; });
    std::printf("patterns never seen: %.1f %% of %zu harmless above %.3f, recall %.3f of %zu\n", rate * 100, negatives.size(), at, double(caught) / double(positives.size()), positives.size());
    if (rate == 0.01) threshold = std::max(0.05, at);
  }

  std::ofstream out(argv[2], std::ios::binary);
  const float numbers[] = {static_cast<float>(a), static_cast<float>(b), bias, static_cast<float>(threshold), gram_scale};
  out << "HENGINJ1";
  out.write(reinterpret_cast<const char*>(numbers), sizeof numbers);
  out.write(reinterpret_cast<const char*>(w.w.data()), dense_count * 4);
  out.write(reinterpret_cast<const char*>(grams.data()), ngram_buckets);
  return out ? 0 : 1;
}
