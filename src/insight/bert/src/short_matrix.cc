#include "heng/insight_bert/short_matrix.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>

#ifdef __AVX2__
#include <immintrin.h>
#endif

namespace heng::insight_bert {
namespace {

constexpr int panel = 16;                    // outputs that are computed at once
constexpr int row_block = 96;                // rows whose integers stay in the second-level cache
constexpr float weight_range = 511, input_range = 1023;  // 511 · 1023 · 2048 < 2³¹

std::int16_t* shorts(std::size_t count) {
  const std::size_t bytes = (count * sizeof(std::int16_t) + 63) / 64 * 64;
  auto* p = static_cast<std::int16_t*>(std::aligned_alloc(64, std::max<std::size_t>(64, bytes)));
  std::memset(p, 0, bytes);
  return p;
}

/// Rounds a row to ±input_range; returns its scale.
float quantise(const float* x, int n, std::int16_t* out) {
  float most = 0;
  for (int i = 0; i < n; ++i) most = std::max(most, std::abs(x[i]));
  if (!(most > 0)) {
    std::fill(out, out + n, std::int16_t{0});
    return 0;
  }
  const float inverse = input_range / most;
  int i = 0;
#ifdef __AVX2__
  const __m256 factor = _mm256_set1_ps(inverse);
  for (; i + 16 <= n; i += 16) {
    const __m256i a = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i), factor));
    const __m256i b = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + i + 8), factor));
    const __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi32(a, b), 0xD8);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), both);
  }
#endif
  for (; i < n; ++i) out[i] = static_cast<std::int16_t>(std::lrint(x[i] * inverse));
  return most / input_range;
}

/// `rows` ≤ 4 rows of integers (`stride` apart) times one panel: the eight sums stay in registers (twelve did not).
template <int rows>
void kernel(const std::int16_t* x, std::size_t stride, const std::int16_t* w, int pairs, std::int32_t* out) {
#ifdef __AVX2__
  __m256i sum[rows][2];
  for (int r = 0; r < rows; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
  for (int k = 0; k < pairs; ++k) {
    const __m256i w0 = _mm256_load_si256(reinterpret_cast<const __m256i*>(w + k * 2 * panel));
    const __m256i w1 = _mm256_load_si256(reinterpret_cast<const __m256i*>(w + k * 2 * panel + 16));
    for (int r = 0; r < rows; ++r) {
      std::int32_t both = 0;
      std::memcpy(&both, x + static_cast<std::size_t>(r) * stride + 2 * k, 4);
      const __m256i a = _mm256_set1_epi32(both);
      sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(a, w0));
      sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(a, w1));
    }
  }
  for (int r = 0; r < rows; ++r) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + r * panel), sum[r][0]);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + r * panel + 8), sum[r][1]);
  }
#else
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < panel; ++c) {
      std::int32_t sum = 0;
      for (int k = 0; k < pairs; ++k) {
        for (int i = 0; i < 2; ++i) sum += x[static_cast<std::size_t>(r) * stride + 2 * k + i] * w[(k * panel + c) * 2 + i];
      }
      out[r * panel + c] = sum;
    }
  }
#endif
}

using Kernel = void (*)(const std::int16_t*, std::size_t, const std::int16_t*, int, std::int32_t*);
constexpr int most_rows = 4;
constexpr Kernel kernels[] = {nullptr, kernel<1>, kernel<2>, kernel<3>, kernel<4>};

}  // namespace

void ShortMatrix::Free::operator()(std::int16_t* p) const { std::free(p); }

ShortMatrix::ShortMatrix(const ConstMatrixMap& weight, const ConstRowMap& bias)
    : outputs_(static_cast<int>(weight.rows())), inputs_(static_cast<int>(weight.cols())), panels_((outputs_ + panel - 1) / panel), pairs_((inputs_ + 1) / 2),
      data_(shorts(static_cast<std::size_t>(panels_) * static_cast<std::size_t>(pairs_) * panel * 2)), scale_(static_cast<std::size_t>(panels_ * panel)),
      bias_(static_cast<std::size_t>(panels_ * panel)) {
  for (int o = 0; o < outputs_; ++o) {
    const float most = std::max(1e-20F, weight.row(o).cwiseAbs().maxCoeff());
    scale_[static_cast<std::size_t>(o)] = most / weight_range;
    bias_[static_cast<std::size_t>(o)] = bias(o);
    std::int16_t* to = data_.get() + static_cast<std::size_t>(o / panel) * static_cast<std::size_t>(pairs_) * panel * 2;
    for (int i = 0; i < inputs_; ++i) to[((i / 2) * panel + o % panel) * 2 + i % 2] = static_cast<std::int16_t>(std::lrint(weight(o, i) * weight_range / most));
  }
}

void ShortMatrix::multiply(const Matrix& x, Matrix& y) const {
  const int n = static_cast<int>(x.rows());
  y.resize(n, outputs_);
  const auto stride = static_cast<std::size_t>(pairs_) * 2;
  const std::unique_ptr<std::int16_t[], Free> integers(shorts(stride * row_block));
  float row_scale[row_block];
  std::int32_t sums[most_rows * panel];
  for (int block = 0; block < n; block += row_block) {
    const int rows = std::min(row_block, n - block);
    for (int r = 0; r < rows; ++r) row_scale[r] = quantise(x.row(block + r).data(), inputs_, integers.get() + static_cast<std::size_t>(r) * stride);
    for (int p = 0; p < panels_; ++p) {
      const std::int16_t* w = data_.get() + static_cast<std::size_t>(p) * static_cast<std::size_t>(pairs_) * panel * 2;
      const int columns = std::min(panel, outputs_ - p * panel);
      const float *scale = scale_.data() + p * panel, *bias = bias_.data() + p * panel;
      for (int r = 0; r < rows; r += most_rows) {
        const int m = std::min(most_rows, rows - r);
        kernels[m](integers.get() + static_cast<std::size_t>(r) * stride, stride, w, pairs_, sums);
        for (int i = 0; i < m; ++i) {
          float* out = y.row(block + r + i).data() + p * panel;
          const float factor = row_scale[r + i];
          for (int c = 0; c < columns; ++c) out[c] = static_cast<float>(sums[i * panel + c]) * factor * scale[c] + bias[c];
        }
      }
    }
  }
}

}  // namespace heng::insight_bert
