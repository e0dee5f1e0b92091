#include "heng/guard_pii/tagger.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "heng/base/text.h"

// The trained models, put into the program by src/models.S.
extern "C" {
extern const char heng_pii_en_begin[], heng_pii_en_end[], heng_pii_zh_begin[], heng_pii_zh_end[];
}

namespace heng::guard_pii {
namespace {

constexpr std::size_t most_tags = 32;
constexpr std::size_t longest_sequence = 400;  // tokens

/// Little-endian reader that never runs over the end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  std::uint32_t number() {
    std::uint32_t out = 0;
    const auto four = take(4);
    if (!four.empty()) std::memcpy(&out, four.data(), 4);
    return out;
  }
  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) {
      failed_ = true;
      return {};
    }
    const auto out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return out;
  }
  bool failed() const { return failed_; }
  bool at_end() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

/// Hash table from keys to the position in which they were given; open addressing.
class Index {
 public:
  void build(std::string_view keys, std::size_t count) {
    std::size_t size = 16;
    while (size < count * 2) size *= 2;
    slots_.assign(size, {0, 0});
    mask_ = size - 1;
    for (std::size_t i = 0; i < count; ++i) {
      std::uint32_t key = 0;
      std::memcpy(&key, keys.data() + i * 4, 4);
      std::size_t at = key & mask_;
      while (slots_[at].first != 0) at = (at + 1) & mask_;
      slots_[at] = {key, static_cast<std::uint32_t>(i)};
    }
  }
  std::int64_t find(std::uint32_t key) const {
    for (std::size_t at = key & mask_;; at = (at + 1) & mask_) {
      if (slots_[at].first == key) return slots_[at].second;
      if (slots_[at].first == 0) return -1;
    }
  }

 private:
  std::vector<std::pair<std::uint32_t, std::uint32_t>> slots_;
  std::size_t mask_ = 0;
};

}  // namespace

struct TagModel::Impl {
  std::vector<Type> entities;
  std::size_t tags = 0;
  std::vector<std::int32_t> transitions;   // [from][to]
  Index rows, words;
  std::vector<std::int8_t> weights;        // [row][tags]
  std::vector<std::uint8_t> lists;
};

TagModel::TagModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TagModel::~TagModel() = default;
const std::vector<Type>& TagModel::entities() const { return impl_->entities; }

Result<std::unique_ptr<TagModel>> TagModel::read(std::string_view bytes) {
  const Error corrupt(ErrorCode::corrupt, "the tagger's model is damaged");
  Reader in(bytes);
  if (in.take(8) != "HENGTAG1") return corrupt;
  auto impl = std::make_unique<Impl>();
  const std::uint32_t entities = in.number();
  if (entities == 0 || entities > 15) return corrupt;
  for (std::uint32_t i = 0; i < entities; ++i) {
    const std::uint32_t size = in.number();
    Type type;
    if (size > 64 || !type_of(in.take(size), type)) return corrupt;
    impl->entities.push_back(type);
  }
  impl->tags = entities * 2 + 1;
  for (std::size_t i = 0; i < impl->tags * impl->tags; ++i) impl->transitions.push_back(static_cast<std::int32_t>(in.number()));
  const std::uint32_t rows = in.number();
  const auto keys = in.take(std::size_t{rows} * 4);
  const auto weights = in.take(std::size_t{rows} * impl->tags);
  const std::uint32_t words = in.number();
  const auto word_keys = in.take(std::size_t{words} * 4);
  const auto lists = in.take(words);
  if (in.failed() || !in.at_end() || rows == 0) return corrupt;
  impl->rows.build(keys, rows);
  impl->words.build(word_keys, words);
  impl->weights.resize(weights.size());
  std::memcpy(impl->weights.data(), weights.data(), weights.size());
  impl->lists.assign(lists.begin(), lists.end());
  return std::unique_ptr<TagModel>(new TagModel(std::move(impl)));
}

void TagModel::look_up(std::vector<Token>& tokens) const {
  look_up_words(tokens, [this](std::uint32_t hash) -> std::uint8_t {
    const auto at = impl_->words.find(hash);
    return at < 0 ? 0 : impl_->lists[static_cast<std::size_t>(at)];
  });
}

std::vector<int> TagModel::best_path(const std::vector<Token>& tokens, std::size_t begin, std::size_t end, bool chinese) const {
  const std::size_t tags = impl_->tags, n = end - begin;
  std::vector<std::int32_t> scores(tags), next(tags);
  std::vector<std::uint8_t> back(n * tags, 0);
  std::vector<std::uint32_t> features;
  constexpr std::int32_t never = std::numeric_limits<std::int32_t>::min() / 4;
  for (std::size_t i = 0; i < n; ++i) {
    std::int32_t here[most_tags] = {};
    features.clear();
    features_of(tokens, begin + i, chinese, features);
    for (const auto feature : features) {
      const auto row = impl_->rows.find(feature);
      if (row < 0) continue;
      const std::int8_t* weights = impl_->weights.data() + static_cast<std::size_t>(row) * tags;
      for (std::size_t t = 0; t < tags; ++t) here[t] += weights[t];
    }
    for (std::size_t t = 0; t < tags; ++t) {
      const bool inside = t > 0 && t % 2 == 0;
      std::int32_t best = never;
      std::uint8_t from = 0;
      if (i == 0) {
        best = inside ? never : 0;
      } else if (inside) {
        for (const std::size_t p : {t - 1, t})
          if (const auto s = scores[p] + impl_->transitions[p * tags + t]; s > best) best = s, from = static_cast<std::uint8_t>(p);
      } else {
        for (std::size_t p = 0; p < tags; ++p)
          if (const auto s = scores[p] + impl_->transitions[p * tags + t]; s > best) best = s, from = static_cast<std::uint8_t>(p);
      }
      next[t] = best <= never ? never : best + here[t];
      back[i * tags + t] = from;
    }
    std::swap(scores, next);
  }
  std::vector<int> path(n, 0);
  if (n == 0) return path;
  auto best = static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  for (std::size_t i = n; i-- > 0;) {
    path[i] = static_cast<int>(best);
    best = back[i * tags + best];
  }
  return path;
}

Tagger::Tagger(std::unique_ptr<TagModel> english, std::unique_ptr<TagModel> chinese) : english_(std::move(english)), chinese_(std::move(chinese)) {}
Tagger::~Tagger() = default;

Result<std::unique_ptr<Tagger>> Tagger::read(std::string_view english, std::string_view chinese) {
  if (english.empty()) english = {heng_pii_en_begin, static_cast<std::size_t>(heng_pii_en_end - heng_pii_en_begin)};
  if (chinese.empty()) chinese = {heng_pii_zh_begin, static_cast<std::size_t>(heng_pii_zh_end - heng_pii_zh_begin)};
  auto en = HENG_TRY(TagModel::read(english));
  auto zh = HENG_TRY(TagModel::read(chinese));
  return std::unique_ptr<Tagger>(new Tagger(std::move(en), std::move(zh)));
}

namespace {

/// Where the sequence that begins at `begin` ends: at a sentence's end once it is long, whole otherwise.
std::size_t sequence_end(const std::vector<Token>& tokens, std::size_t begin) {
  const std::size_t most = std::min(tokens.size(), begin + longest_sequence);
  if (most == tokens.size()) return most;
  for (std::size_t i = most; i > begin + longest_sequence / 4; --i) {
    const auto& mark = tokens[i - 1].lower;
    if (mark == "\n" || mark == "." || mark == "。" || mark == "!" || mark == "?" || mark == "！" || mark == "？") return i;
  }
  return most;
}

bool is_han(const Token& token) { return token.shape == "\xE6\xB1\x89"; }

void add_matches(const std::vector<Token>& tokens, const std::vector<int>& path, std::size_t offset, const TagModel& model, std::vector<Match>& out) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == 0) continue;
    const int entity = (path[i] - 1) / 2;
    std::size_t last = i;
    while (last + 1 < path.size() && path[last + 1] == entity * 2 + 2) ++last;
    std::size_t end = last;
    while (end > i && tokens[offset + end].lower == "\n") --end;
    out.push_back({tokens[offset + i].begin, tokens[offset + end].end, model.entities()[static_cast<std::size_t>(entity)], 60, "tagger"});
    i = last;
  }
}

}  // namespace

void Tagger::tag(std::string_view text, std::vector<Match>& out) const {
  std::vector<Token> tokens = tokenise(text);
  std::size_t han = 0, words = 0;
  for (const auto& token : tokens) {
    han += is_han(token);
    words += token.shape[0] == 'X' || token.shape[0] == 'x';
  }
  const bool has_chinese = han >= 2, has_english = words >= 1 && (han == 0 || words * 2 >= han || words >= 12);
  const auto run = [&](const TagModel& model, bool chinese) {
    model.look_up(tokens);
    for (std::size_t begin = 0; begin < tokens.size();) {
      const std::size_t end = sequence_end(tokens, begin);
      add_matches(tokens, model.best_path(tokens, begin, end, chinese), begin, model, out);
      begin = end;
    }
  };
  if (has_chinese) run(*chinese_, true);
  if (has_english) run(*english_, false);
}

}  // namespace heng::guard_pii
