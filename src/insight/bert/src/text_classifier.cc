#include "heng/insight_bert/text_classifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <numeric>
#include <thread>

#include "heng/base/clock.h"
#include "heng/base/text.h"
#include "heng/insight_bert/encoder_file.h"
#include "heng/insight_bert/optimiser.h"
#include "heng/insight_bert/short_matrix.h"
#include "heng/insight_bert/wordpiece.h"
#include "text_network.h"

namespace heng::insight_bert {
namespace {

constexpr std::string_view magic = "HENGTXT1";
constexpr std::size_t texts_at_once = 16;      // that a thread reads together
constexpr int widest_short = 2048, smallest_short = 64;

using Ids = std::vector<std::int32_t>;

Ids ids_of(const WordPiece& words, std::string_view text, int longest) {
  const auto pieces = words.split(text::to_utf32(text));
  const std::size_t limit = static_cast<std::size_t>(longest), head = limit * 3 / 4, tail = limit - head;
  Ids out{words.cls()};
  for (std::size_t i = 0; i < pieces.size(); ++i)
    if (pieces.size() <= limit || i < head || i >= pieces.size() - tail) out.push_back(pieces[i].id);
  out.push_back(words.sep());
  return out;
}

template <class Function>
void in_parallel(int threads, const Function& function) {
  std::vector<std::jthread> helpers;
  for (int t = 1; t < threads; ++t) helpers.emplace_back([&function, t] { function(t); });
  function(0);
}

template <class T>
void put(std::string& out, T value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); }

struct Reader {
  std::string_view bytes;
  bool broken = false;
  template <class T>
  T take() {
    T value{};
    if (bytes.size() < sizeof value) broken = true;
    else std::memcpy(&value, bytes.data(), sizeof value), bytes.remove_prefix(sizeof value);
    return value;
  }
  std::string text(std::size_t size) {
    if (bytes.size() < size) broken = true;
    if (broken) return {};
    std::string out(bytes.substr(0, size));
    bytes.remove_prefix(size);
    return out;
  }
};

}  // namespace

struct TextClassifier::Parts {
  Parts(const EncoderShape& shape, int classes, int longest_text, std::vector<std::string> vocabulary_of)
      : network(shape, classes), longest(longest_text), vocabulary(std::move(vocabulary_of)), words(vocabulary), values(new float[network.layout().size()]()) {}

  TextNetwork network;
  int longest;
  std::vector<std::string> vocabulary;
  WordPiece words;
  Floats values;
  ShortMatrices shorts;
  std::string encoder_sha256;

  /// Rounds the weights as the file does, so that what is measured is what is loaded later.
  void round_to_file() {
    for (std::size_t i = 0; i < network.layout().size(); ++i) values[i] = static_cast<float>(Eigen::half(values[i]));
  }
  void prepare_to_read() {
    const auto& entries = network.layout().entries();
    for (std::size_t i = 0; i + 1 < entries.size(); ++i) {
      const Layout::Entry& weight = entries[i];
      if (!weight.name.ends_with(".weight") || weight.tensor.rows < smallest_short || weight.tensor.cols < smallest_short || weight.tensor.cols > widest_short) continue;
      if (entries[i + 1].name != weight.name.substr(0, weight.name.size() - 6) + "bias") continue;
      const float* all = values.get();
      shorts.try_emplace(weight.tensor.offset, weights(all, weight.tensor), row(all, entries[i + 1].tensor));
    }
  }
};

namespace {

/// One training: batches in random order, split over the threads, each with gradients of its own.
class Tuner {
 public:
  Tuner(const TextNetwork& network, float* values, const TuneSettings& settings) : network_(network), values_(values), settings_(settings) {}

  Result<void> run(const std::vector<Ids>& ids, const std::vector<int>& labels, const std::function<void(const TextClassifier::Progress&)>& progress, std::stop_token stop) {
    const std::size_t batch = static_cast<std::size_t>(std::max(1, settings_.batch));
    const std::size_t steps = (ids.size() + batch - 1) / batch * static_cast<std::size_t>(settings_.epochs);
    const SteadyTime start = system_clock().steady();
    Optimiser optimiser(network_.layout(), {.encoder_rate = static_cast<float>(settings_.encoder_rate), .head_rate = static_cast<float>(settings_.head_rate),
                                            .decay = static_cast<float>(settings_.decay), .clip = 1.0F, .average = static_cast<float>(settings_.average)});
    std::vector<Floats> grads;
    std::vector<Random> random;
    for (int t = 0; t < std::max(1, settings_.threads); ++t) {
      grads.emplace_back(new float[network_.layout().size()]);
      random.emplace_back(settings_.seed * 1000 + static_cast<std::uint64_t>(t));
    }
    std::vector<std::size_t> order(ids.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    double mean = 0;
    float done = 0;
    std::size_t step = 0;
    for (int epoch = 0; epoch < settings_.epochs && done < 1; ++epoch) {
      for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random[0].below(i)]);
      for (std::size_t from = 0; from < order.size() && done < 1; from += batch, ++step) {
        if (stop.stop_requested()) return Error(ErrorCode::cancelled, "stopped; nothing was written");
        const float time = settings_.minutes > 0 ? static_cast<float>(elapsed_ms(start) / (60000.0 * settings_.minutes)) : 0.0F;
        done = std::max(static_cast<float>(step + 1) / static_cast<float>(steps), time);
        const double loss = one_batch(ids, labels, order, from, std::min(order.size(), from + batch), optimiser, grads, random);
        optimiser.step(values_, grads, share(done), share(done));
        mean = step == 0 ? loss : 0.98 * mean + 0.02 * loss;
        if (progress) progress({static_cast<std::int64_t>(step + 1), static_cast<std::int64_t>(steps), mean, std::min(1.0, static_cast<double>(done))});
      }
    }
    optimiser.use_average(values_);
    return {};
  }

 private:
  /// Of the learning rate: rises over the first tenth, then falls in a line to a fiftieth.
  static float share(float done) { return done < 0.1F ? std::max(0.02F, done / 0.1F) : std::max(0.02F, (1.0F - done) / 0.9F); }

  double one_batch(const std::vector<Ids>& ids, const std::vector<int>& labels, const std::vector<std::size_t>& order, std::size_t from, std::size_t to, const Optimiser& optimiser,
                   std::vector<Floats>& grads, std::vector<Random>& random) const {
    std::vector<double> loss(grads.size());
    const float scale = 1.0F / static_cast<float>(to - from);
    in_parallel(static_cast<int>(grads.size()), [&](int thread) {
      const auto t = static_cast<std::size_t>(thread);
      optimiser.clear(grads[t].get());
      Segments segments;
      Ids joined;
      std::vector<int> mine;
      for (std::size_t i = from + t; i < to; i += grads.size()) {
        const Ids& one = ids[order[i]];
        segments.add(static_cast<int>(one.size()));
        joined.insert(joined.end(), one.begin(), one.end());
        mine.push_back(labels[order[i]]);
      }
      if (mine.empty()) return;
      const Pass pass{.values = values_, .grads = grads[t].get(), .random = &random[t], .dropout = static_cast<float>(settings_.dropout)};
      Matrix x;
      network_.lower_states(pass, segments, joined, x);
      loss[t] = network_.learn(pass, segments, std::move(x), mine, static_cast<float>(settings_.label_smoothing), scale);
    });
    return std::accumulate(loss.begin(), loss.end(), 0.0);
  }

  const TextNetwork& network_;
  float* values_;
  const TuneSettings& settings_;
};

}  // namespace

TextClassifier::TextClassifier(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
TextClassifier::~TextClassifier() = default;
int TextClassifier::classes() const { return parts_->network.classes(); }
const std::string& TextClassifier::encoder_sha256() const { return parts_->encoder_sha256; }

Result<std::unique_ptr<TextClassifier>> TextClassifier::train(const std::filesystem::path& encoder, std::span<const std::string_view> texts, std::span<const int> labels,
                                                              const std::vector<bool>& use, int classes, const TuneSettings& settings, const std::function<void(const Progress&)>& progress,
                                                              std::stop_token stop) {
  EncoderFile file = HENG_TRY(EncoderFile::open(encoder));
  EncoderShape shape = file.shape;
  shape.frozen = std::clamp(settings.frozen, 0, shape.layers);
  auto parts = std::make_unique<Parts>(shape, classes, std::clamp(settings.longest, 8, shape.positions - 2), file.vocabulary);
  parts->encoder_sha256 = file.sha256;
  Random random(settings.seed);
  parts->network.initialise(parts->values.get(), random);
  HENG_TRY(file.load(parts->network.layout(), parts->values.get()));
  parts->network.decay_rates(static_cast<float>(settings.layer_decay));
  std::vector<Ids> ids;
  std::vector<int> kept;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!use.empty() && !use[i]) continue;
    ids.push_back(ids_of(parts->words, texts[i], parts->longest));
    kept.push_back(labels[i]);
  }
  HENG_TRY(Tuner(parts->network, parts->values.get(), settings).run(ids, kept, progress, stop));
  parts->round_to_file();
  parts->prepare_to_read();
  return std::unique_ptr<TextClassifier>(new TextClassifier(std::move(parts)));
}

void TextClassifier::logits(std::span<const std::string_view> texts, std::span<float> out, int threads) const {
  const Parts& p = *parts_;
  const auto classes = static_cast<std::size_t>(p.network.classes());
  std::vector<Ids> ids(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) ids[i] = ids_of(p.words, texts[i], p.longest);
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return ids[a].size() > ids[b].size(); });
  std::atomic<std::size_t> next{0};
  const auto work = [&](int) {
    for (std::size_t from = next.fetch_add(texts_at_once); from < order.size(); from = next.fetch_add(texts_at_once)) {
      const std::size_t to = std::min(order.size(), from + texts_at_once);
      Segments segments;
      Ids joined;
      for (std::size_t i = from; i < to; ++i) {
        segments.add(static_cast<int>(ids[order[i]].size()));
        joined.insert(joined.end(), ids[order[i]].begin(), ids[order[i]].end());
      }
      const Pass pass{.values = p.values.get(), .shorts = &p.shorts};
      Matrix x, odds;
      p.network.lower_states(pass, segments, joined, x);
      TextNetwork::States states;
      p.network.forward(pass, segments, std::move(x), states, odds);
      for (std::size_t i = from; i < to; ++i)
        for (std::size_t c = 0; c < classes; ++c) out[order[i] * classes + c] = odds(static_cast<Eigen::Index>(i - from), static_cast<Eigen::Index>(c));
    }
  };
  in_parallel(static_cast<int>(std::clamp<std::size_t>((texts.size() + texts_at_once - 1) / texts_at_once, 1, static_cast<std::size_t>(std::max(1, threads)))), work);
}

void TextClassifier::write(std::string& out) const {
  const Parts& p = *parts_;
  const EncoderShape& s = p.network.shape();
  out += magic;
  for (const int n : {s.vocabulary, s.positions, s.width, s.heads, s.inner, s.layers, p.network.classes(), p.longest}) put(out, static_cast<std::int32_t>(n));
  put(out, s.epsilon);
  put(out, static_cast<std::uint32_t>(p.encoder_sha256.size()));
  out += p.encoder_sha256;
  for (const auto& piece : p.vocabulary) {
    put(out, static_cast<std::uint16_t>(piece.size()));
    out += piece;
  }
  const std::size_t size = p.network.layout().size();
  const std::size_t at = out.size();
  out.resize(at + 2 * size);
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint16_t half = Eigen::numext::bit_cast<std::uint16_t>(Eigen::half(p.values[i]));
    std::memcpy(out.data() + at + 2 * i, &half, 2);
  }
}

Result<std::unique_ptr<TextClassifier>> TextClassifier::read(std::string_view bytes) {
#if defined(__x86_64__) && defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Error(ErrorCode::unsupported, "this build needs a processor with AVX2 and FMA");
#endif
  const Error damaged(ErrorCode::corrupt, "the tuned encoder's part of the file is damaged; train the task again");
  if (!bytes.starts_with(magic)) return damaged;
  Reader in{bytes.substr(magic.size())};
  int n[8];
  for (int& one : n) one = in.take<std::int32_t>();
  EncoderShape s{.vocabulary = n[0], .positions = n[1], .width = n[2], .heads = n[3], .inner = n[4], .layers = n[5]};
  s.epsilon = in.take<float>();
  if (in.broken || s.vocabulary < 100 || s.vocabulary > 1'000'000 || s.positions < 16 || s.positions > 65536 || s.width < 8 || s.width > 8192 || s.heads < 1 || s.width % s.heads || s.inner < 8 ||
      s.inner > 65536 || s.layers < 1 || s.layers > 128 || n[6] < 2 || n[6] > 100'000 || n[7] < 8 || n[7] > s.positions)
    return damaged;
  const std::string sha = in.text(in.take<std::uint32_t>() & 0xFF);
  std::vector<std::string> vocabulary;
  for (int i = 0; i < s.vocabulary && !in.broken; ++i) vocabulary.push_back(in.text(in.take<std::uint16_t>()));
  if (in.broken) return damaged;
  if (TextNetwork(s, n[6]).layout().size() * 2 != in.bytes.size()) return damaged;
  auto parts = std::make_unique<Parts>(s, n[6], n[7], std::move(vocabulary));
  parts->encoder_sha256 = sha;
  for (std::size_t i = 0; i < parts->network.layout().size(); ++i) {
    std::uint16_t half;
    std::memcpy(&half, in.bytes.data() + 2 * i, 2);
    parts->values[i] = static_cast<float>(Eigen::half_impl::half_to_float(Eigen::half_impl::raw_uint16_to_half(half)));
  }
  parts->prepare_to_read();
  return std::unique_ptr<TextClassifier>(new TextClassifier(std::move(parts)));
}

bool can_be_tuned(const std::filesystem::path& encoder) { return EncoderFile::open(encoder).ok(); }

}  // namespace heng::insight_bert
