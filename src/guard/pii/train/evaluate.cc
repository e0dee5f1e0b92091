// Measures the whole scanner on sentences with spans. usage: heng-pii-evaluate ENGLISH.tag|- HELDOUT.jsonl [--errors N]
//   lines {"text": "…", "spans": [[begin, end, "TYPE"], …]} with code points. A span counts as found where a match overlaps it; a match as right where
//   it overlaps a span. Characters count too: what a mask would cover.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include <nlohmann/json.hpp>

#include "heng/base/text.h"
#include "heng/guard_pii/scanner.h"

int main(int argc, char** argv) {
  using namespace heng;
  using Json = nlohmann::json;
  if (argc < 3) return std::fprintf(stderr, "usage: heng-pii-evaluate ENGLISH.tag|- HELDOUT.jsonl [--errors N]\n"), 2;
  int errors = argc > 4 && !std::strcmp(argv[3], "--errors") ? std::atoi(argv[4]) : 0;
  std::string english;
  if (std::strcmp(argv[1], "-") != 0) {
    std::ifstream in(argv[1], std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    english = out.str();
  }
  auto scanner = guard_pii::Scanner::create({.english_model = english});
  if (!scanner.ok()) return std::fprintf(stderr, "%s\n", scanner.error().message.c_str()), 1;
  std::map<std::string, std::array<int, 2>> recall, precision;
  std::array<long, 3> characters{};
  double seconds = 0;
  std::size_t bytes = 0;
  std::ifstream in(argv[2]);
  for (std::string line; std::getline(in, line);) {
    const Json row = Json::parse(line);
    const std::string text = row["text"];
    const auto start = std::chrono::steady_clock::now();
    auto matches = (*scanner)->scan(text);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    bytes += text.size();
    if (!matches.ok()) return std::fprintf(stderr, "%s\n", matches.error().message.c_str()), 1;
    std::string gold(text.size(), 0), got(text.size(), 0);
    std::vector<std::array<std::size_t, 2>> spans;
    for (const auto& span : row["spans"]) {
      spans.push_back({text::byte_offset(text, span[0]), text::byte_offset(text, span[1])});
      for (auto i = spans.back()[0]; i < spans.back()[1]; ++i) gold[i] = 1;
    }
    std::string note;
    for (const auto& m : *matches) {
      for (auto i = m.begin; i < m.end; ++i) got[i] = 1;
      const bool right = std::any_of(spans.begin(), spans.end(), [&](const auto& s) { return s[0] < m.end && m.begin < s[1]; });
      for (const auto& name : {std::string(guard_pii::type_name(m.type)), std::string("all")}) ++precision[name][right];
      if (!right) note += " +" + std::string(guard_pii::type_name(m.type)) + ":" + text.substr(m.begin, m.end - m.begin);
    }
    for (std::size_t k = 0; k < spans.size(); ++k) {
      const bool right = std::any_of(matches->begin(), matches->end(), [&](const auto& m) { return spans[k][0] < m.end && m.begin < spans[k][1]; });
      for (const auto& name : {row["spans"][k][2].get<std::string>(), std::string("all")}) ++recall[name][right];
      if (!right) note += " -" + row["spans"][k][2].get<std::string>() + ":" + text.substr(spans[k][0], spans[k][1] - spans[k][0]);
    }
    for (std::size_t i = 0; i < text.size(); ++i) characters[0] += gold[i] && got[i], characters[1] += gold[i] && !got[i], characters[2] += !gold[i] && got[i] && text[i] != ' ' && text[i] != '\n';
    if (!note.empty() && errors-- > 0) std::printf("%s   [%s]\n", note.c_str(), text.c_str());
  }
  for (const auto& [name, c] : recall) std::printf("recall    %-20s %.3f (%d)\n", name.c_str(), double(c[1]) / (c[0] + c[1]), c[0] + c[1]);
  for (const auto& [name, c] : precision) std::printf("precision %-20s %.3f (%d)\n", name.c_str(), double(c[1]) / (c[0] + c[1]), c[0] + c[1]);
  std::printf("characters: precision %.3f recall %.3f; %.2f MB/s\n", double(characters[0]) / double(characters[0] + characters[2]), double(characters[0]) / double(characters[0] + characters[1]),
              double(bytes) / 1e6 / std::max(1e-9, seconds));
  return 0;
}
