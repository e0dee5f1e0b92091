#include "encoder_head.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace heng::guard_injection {

Result<EncoderHead> EncoderHead::read(std::string_view bytes) {
  const Error damaged(ErrorCode::corrupt, "the injection detector's encoder weights are damaged");
  std::uint32_t sizes[2];
  if (bytes.size() < 4 + sizeof sizes || !bytes.starts_with("ENC1")) return damaged;
  std::memcpy(sizes, bytes.data() + 4, sizeof sizes);
  const std::size_t d = sizes[0], h = sizes[1];
  if (d < 8 || d > 8192 || h < 1 || h > 4096 || bytes.size() != 4 + sizeof sizes + 4 * (2 * d + h * d + 2 * h + 1 + 5)) return damaged;
  const char* at = bytes.data() + 4 + sizeof sizes;
  const auto take = [&at](float* out, std::size_t count) {
    std::memcpy(out, at, count * 4);
    at += count * 4;
  };
  EncoderHead out;
  out.mean_.resize(d), out.inverse_.resize(d), out.hidden_.resize(h * d), out.hidden_bias_.resize(h), out.output_.resize(h);
  take(out.mean_.data(), d), take(out.inverse_.data(), d), take(out.hidden_.data(), h * d), take(out.hidden_bias_.data(), h), take(out.output_.data(), h);
  take(&out.output_bias_, 1), take(out.join_, 5);
  return out;
}

double EncoderHead::probability(double gram_odds, const std::vector<float>& vector, bool chinese) const {
  std::vector<float> x(mean_.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = (vector[i] - mean_[i]) * inverse_[i];
  float odds = output_bias_;
  for (std::size_t k = 0; k < output_.size(); ++k) {
    float sum = hidden_bias_[k];
    const float* row = hidden_.data() + k * x.size();
    for (std::size_t i = 0; i < x.size(); ++i) sum += row[i] * x[i];
    odds += output_[k] * std::max(sum, 0.0F);
  }
  return 1 / (1 + std::exp(-(static_cast<double>(join_[0]) * gram_odds + static_cast<double>(join_[1] * odds + join_[chinese ? 3 : 2]))));
}

}  // namespace heng::guard_injection
