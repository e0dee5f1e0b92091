#include "heng/guard_pii/scanner.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "heng/base/text.h"
#include "heng/guard_pii/tagger.h"
#include "heng/guard_text/decode.h"
#include "heng/guard_text/normalise.h"
#include "scan.h"

namespace heng::guard_pii {
namespace {

using guard_text::Normalised;

/// How a byte of normalised text may begin something.
struct Starts {
  std::array<bool, 256> interesting{};
  Starts() {
    for (char c = '0'; c <= '9'; ++c) interesting[static_cast<unsigned char>(c)] = true;
    interesting[static_cast<unsigned char>('@')] = true;
    for (int lead = 0xE2; lead <= 0xE9; ++lead) interesting[static_cast<std::size_t>(lead)] = true;
  }
};

void scan_numbers(Scan& scan) {
  static const Starts starts;
  const std::string_view text = scan.text;
  std::size_t i = 0, token_end = 0;
  while (i < text.size()) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!starts.interesting[c]) {
      ++i;
      continue;
    }
    if (c == '@') {
      scan_mail(scan, i++);
      continue;
    }
    std::size_t bytes = 1;
    if (digit_at(text, i, bytes) < 0) {
      if (plate_province_at(text, i)) scan_plate(scan, i);
      i += 3;
      continue;
    }
    if (bytes == 1 && i >= token_end) {
      token_end = scan_token(scan, i);
      std::size_t token_begin = i;
      while (token_begin > 0 && is_alnum(text[token_begin - 1])) --token_begin;
      if (token_end - token_begin <= 17) scan_spaced(scan, token_begin);
    }
    if (bytes == 3 && (i < 3 || digit_at(text, i - 3, bytes) < 0)) {
      std::size_t letters = i;
      while (letters > 0 && is_alnum(text[letters - 1])) --letters;
      if (i - letters <= 4) scan_spaced(scan, letters);
    }
    const std::size_t end = scan_digits(scan, i);
    std::size_t first = i;
    while (first < text.size() && digit_at(text, first, bytes) >= 0) first += bytes;
    if (first < text.size() && static_cast<unsigned char>(text[first]) >= 0xE3) scan_address_zh(scan, i, first);
    i = std::max(end, i + 1);
  }
}

bool covers(const Match& a, const Match& b) { return a.begin <= b.begin && b.end <= a.end; }

/// An address holds its numbers, a link its host: the wider one takes the narrower in.
bool swallows(const Match& wider, const Match& match) {
  const bool takes_in = wider.type == Type::address || wider.type == Type::url || wider.type == Type::private_key || wider.type == Type::jwt;
  const bool gives_way = match.type == Type::address || match.type == Type::location || match.type == Type::postal_code || match.type == Type::person ||
                         match.type == Type::ip_address || match.type == Type::date_time;
  return takes_in && gives_way && wider.end - wider.begin > match.end - match.begin;
}
bool beats(const Match& a, const Match& b) {
  return covers(a, b) && (a.score > b.score || (a.score == b.score && a.end - a.begin > b.end - b.begin) || swallows(a, b));
}

/// A surer match wins over what lies inside it; of two of the same place the surer stays.
std::vector<Match> settle(std::vector<Match> all) {
  std::stable_sort(all.begin(), all.end(), [](const Match& a, const Match& b) { return a.begin != b.begin ? a.begin < b.begin : a.end > b.end; });
  std::vector<char> dropped(all.size(), 0);
  for (std::size_t i = 0; i < all.size(); ++i)
    for (std::size_t j = i + 1; j < all.size() && all[j].begin < all[i].end; ++j) {
      if (beats(all[i], all[j])) dropped[j] = 1;
      else if (beats(all[j], all[i])) dropped[i] = 1;
      else if (all[i].begin == all[j].begin && all[i].end == all[j].end) dropped[j] = 1;
    }
  std::vector<Match> out;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (!dropped[i]) out.push_back(std::move(all[i]));
  return out;
}

/// Whether the word before is one that announces a catalogue number, which the tagger takes for a telephone's.
bool behind_catalogue_word(std::string_view text, std::size_t begin) {
  while (begin > 0 && (text[begin - 1] == ' ' || text[begin - 1] == ':' || text[begin - 1] == '#')) --begin;
  std::size_t word = begin;
  while (word > 0 && is_letter(text[word - 1])) --word;
  const std::string lower = text::lower(text.substr(word, begin - word));
  for (const char* catalogue : {"isbn", "issn", "imei", "sku", "ean", "doi"})
    if (lower == catalogue) return true;
  return false;
}

}  // namespace

struct Scanner::Parts {
  ScannerSettings settings;
  std::unique_ptr<TopicScanner> topics;
  std::unique_ptr<Tagger> tagger;

  /// Finds by rules, in bytes of `original`.
  Result<void> scan_rules(std::string_view original, int depth, std::vector<Match>& out) const {
    const Normalised text(original);
    Scan scan(text.view());
    HENG_TRY(topics->scan(scan.text, scan.hits));
    scan_numbers(scan);
    scan_announced(scan);
    for (auto& match : scan.found)
      out.push_back({text.original_begin(match.begin), text.original_end(match.end), match.type, match.score, std::move(match.rule)});
    if (depth <= 0) return {};
    for (const auto& stretch : guard_text::decode_stretches(text.view())) {
      std::vector<Match> inner;
      HENG_TRY(scan_rules(stretch.text, depth - 1, inner));
      const Match* worst = nullptr;
      for (const auto& match : inner)
        if (match.score >= 70 && match.type != Type::url && (!worst || match.score > worst->score)) worst = &match;
      if (worst)
        out.push_back({text.original_begin(stretch.begin), text.original_end(stretch.end), worst->type, worst->score, worst->rule + "+" + stretch.encoding});
    }
    return {};
  }
};

Scanner::Scanner(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Scanner::~Scanner() = default;

Result<std::unique_ptr<Scanner>> Scanner::create(const ScannerSettings& settings) {
  auto parts = std::make_unique<Parts>();
  parts->settings = settings;
  parts->topics = HENG_TRY(TopicScanner::create());
  if (settings.names) parts->tagger = HENG_TRY(Tagger::read(settings.english_model, settings.chinese_model));
  return std::unique_ptr<Scanner>(new Scanner(std::move(parts)));
}

Result<std::vector<Match>> Scanner::scan(std::string_view text, Names names) const {
  if (text.size() > parts_->settings.longest_bytes)
    return Error(ErrorCode::too_large, fmt::format("the text has {} bytes, at most {} are scanned: split it", text.size(), parts_->settings.longest_bytes));
  if (const auto bad = text::first_invalid_utf8(text); bad != std::string_view::npos)
    return Error(ErrorCode::malformed_input, fmt::format("the text is not valid UTF-8 at byte {}", bad));
  std::vector<Match> all;
  HENG_TRY(parts_->scan_rules(text, std::clamp(parts_->settings.decode_depth, 0, 3), all));
  if (parts_->tagger && names == Names::with) {
    parts_->tagger->tag(text, all);
    std::erase_if(all, [&](const Match& m) { return m.rule == "tagger" && m.type == Type::phone_number && behind_catalogue_word(text, m.begin); });
  }
  return settle(std::move(all));
}

}  // namespace heng::guard_pii
