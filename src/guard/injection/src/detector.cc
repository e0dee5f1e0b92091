#include "heng/guard_injection/detector.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>

#include "encoder_head.h"
#include "feature_set.h"
#include "heng/base/text.h"
#include "heng/guard_text/decode.h"
#include "heng/guard_text/normalise.h"

extern "C" {
extern const char heng_injection_begin[], heng_injection_end[];
}

namespace heng::guard_injection {
namespace {

constexpr std::size_t chunk_bytes = 600, overlap_bytes = 150;
constexpr std::size_t head = 8 + 5 * 4, file_bytes = head + dense_count * 4 + ngram_buckets;

/// Model file: "HENGINJ1", slope, offset, bias, threshold, dense scale, gram scale (float32), dense weights (float32), n-gram weights (int8).
struct Weights {
  float slope = 1, offset = 0, bias = 0, threshold = 0.5f, gram_scale = 1;
  std::vector<float> dense;
  std::vector<std::int8_t> grams;
};

Result<Weights> read(std::string_view bytes) {
  Weights out;
    if (bytes.size() < file_bytes || bytes.substr(0, 8) != "HENGINJ1") return Error(ErrorCode::corrupt, "the injection detector's weights are damaged");
  float numbers[5];
  std::memcpy(numbers, bytes.data() + 8, sizeof numbers);
  out.slope = numbers[0], out.offset = numbers[1], out.bias = numbers[2], out.threshold = numbers[3], out.gram_scale = numbers[4];
  out.dense.resize(dense_count);
  std::memcpy(out.dense.data(), bytes.data() + head, dense_count * 4);
  out.grams.resize(ngram_buckets);
  std::memcpy(out.grams.data(), bytes.data() + head + dense_count * 4, ngram_buckets);
  return out;
}

bool has_chinese(std::string_view s) {
  const auto all = text::to_utf32(s);
  return std::any_of(all.begin(), all.end(), [](char32_t c) { return text::is_cjk(c); });
}

}  // namespace

struct Detector::Parts {
  std::unique_ptr<Concepts> concepts;
  Weights weights;
  std::optional<EncoderHead> encoder;
  Embed embed;
};

Detector::Detector(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Detector::~Detector() = default;
double Detector::threshold() const { return parts_->encoder ? parts_->encoder->threshold() : static_cast<double>(parts_->weights.threshold); }

Result<std::unique_ptr<Detector>> Detector::create(Embed embed) {
  return create(std::string_view(heng_injection_begin, static_cast<std::size_t>(heng_injection_end - heng_injection_begin)), std::move(embed));
}

Result<std::unique_ptr<Detector>> Detector::create(std::string_view model, Embed embed) {
  auto parts = std::make_unique<Parts>();
  parts->concepts = HENG_TRY(Concepts::create());
  parts->weights = HENG_TRY(read(model));
  if (const auto rest = model.substr(file_bytes); !rest.empty() && embed) {
    parts->encoder = HENG_TRY(EncoderHead::read(rest));
    parts->embed = std::move(embed);
  }
  return std::unique_ptr<Detector>(new Detector(std::move(parts)));
}

Result<double> Detector::odds_of(std::string_view chunk, int depth) const {
  const Weights& w = parts_->weights;
  double sum = w.bias;
  for (const auto& feature : HENG_TRY(features_of(*parts_->concepts, prepared(chunk), chunk)))
    sum += feature.value * (feature.id < dense_count ? w.dense[feature.id] : static_cast<float>(w.grams[feature.id - dense_count]) * w.gram_scale);
  double best = sum;
  if (depth == 0) return best;
  const guard_text::Normalised folded(chunk);
  for (const auto& hidden : guard_text::decode_stretches(folded.view())) best = std::max(best, HENG_TRY(odds_of(hidden.text, depth - 1)));
  return best;
}

/// The n-grams' probability; moved, where the encoder has a threshold of its own, so that one threshold holds for both.
double Detector::scaled(double gram_odds) const {
  const Weights& w = parts_->weights;
  double odds = static_cast<double>(w.slope) * gram_odds + static_cast<double>(w.offset);
  const auto logit = [](double p) { return std::log(p / (1 - p)); };
  if (parts_->encoder) odds += logit(parts_->encoder->threshold()) - logit(static_cast<double>(w.threshold));
  return 1 / (1 + std::exp(-odds));
}

Result<std::vector<ChunkScore>> Detector::chunks(std::string_view text) const {
  std::vector<ChunkScore> out;
  std::size_t begin = 0;
  while (begin < text.size() || out.empty()) {
    std::size_t end = std::min(text.size(), begin + chunk_bytes);
    if (end < text.size()) {
      // at a sentence's end where there is one in the second half
      std::size_t cut = 0;
      for (std::size_t i = end; i > begin + chunk_bytes / 2; --i)
        if (text[i - 1] == '\n' || text.substr(0, i).ends_with("。") || text.substr(0, i).ends_with(". ") || text.substr(0, i).ends_with("！") || text.substr(0, i).ends_with("? ")) {
          cut = i;
          break;
        }
      if (cut) end = cut;
      while (end > begin && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    }
    out.push_back({begin, end, HENG_TRY(odds_of(text.substr(begin, end - begin), 2))});
    if (end >= text.size()) break;
    std::size_t next = end > begin + 2 * overlap_bytes ? end - overlap_bytes : end;
    while (next < text.size() && (static_cast<unsigned char>(text[next]) & 0xC0) == 0x80) ++next;
    begin = next;
  }
  std::vector<std::size_t> order(out.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return out[a].score > out[b].score; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    auto& chunk = out[order[i]];
    const double odds = chunk.score;
    chunk.score = scaled(odds);
    if (!parts_->encoder || i >= encoder_chunks) continue;
    const auto words = text.substr(chunk.begin, chunk.end - chunk.begin);
    const auto vector = parts_->embed(std::string(words));
    if (!vector.ok() || vector->size() != parts_->encoder->dimensions()) continue;
    const double plain = HENG_TRY(odds_of(words, 0)), both = parts_->encoder->probability(plain, *vector, has_chinese(words));
    chunk.score = odds > plain ? std::max(both, chunk.score) : both;  // what was hidden in the text is judged by its n-grams
  }
  return out;
}

Result<double> Detector::score(std::string_view text) const {
  double best = 0;
  for (const auto& chunk : HENG_TRY(chunks(text))) best = std::max(best, chunk.score);
  return best;
}

Result<double> ConversationScore::add(std::string_view turn) {
  last_.emplace_back(turn);
  if (last_.size() > turns_) last_.pop_front();
  double best = HENG_TRY(detector_.score(turn));
  std::string together;
  for (const auto& one : last_) together += (together.empty() ? "" : " ") + one;
  return std::max(best, HENG_TRY(detector_.score(together)));
}

}  // namespace heng::guard_injection
