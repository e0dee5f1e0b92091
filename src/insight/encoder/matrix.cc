#include "encoder/matrix.h"

#include <cassert>
#include <cstring>
#include <vector>

namespace heng::insight {
namespace {

using Eight = float __attribute__((vector_size(32), aligned(4)));

/// out[0…m) (+)= a · b with a given by strides, b and out row-major; columns in strips of 16, rows in groups of 4.
HENG_CLONES void product(const float* a, std::size_t a_row, std::size_t a_step, const float* b, float* out, std::size_t m, std::size_t n, std::size_t depth) {
  std::size_t j = 0;
  std::vector<float> strip(depth * 16);  // 16 columns of b side by side: rows a power of two apart would share cache sets
  for (; j + 16 <= n; j += 16) {
    for (std::size_t k = 0; k < depth; ++k) std::memcpy(&strip[16 * k], b + k * n + j, 16 * sizeof(float));
    std::size_t i = 0;
    for (; i + 4 <= m; i += 4) {
      Eight s00{}, s01{}, s10{}, s11{}, s20{}, s21{}, s30{}, s31{};
      const float *a0 = a + i * a_row, *a1 = a0 + a_row, *a2 = a1 + a_row, *a3 = a2 + a_row;
      const float* at = strip.data();
      for (std::size_t k = 0; k < depth; ++k, at += 16) {
        const Eight b0 = *reinterpret_cast<const Eight*>(at), b1 = *reinterpret_cast<const Eight*>(at + 8);
        const float x0 = a0[k * a_step], x1 = a1[k * a_step], x2 = a2[k * a_step], x3 = a3[k * a_step];
        s00 += x0 * b0;
        s01 += x0 * b1;
        s10 += x1 * b0;
        s11 += x1 * b1;
        s20 += x2 * b0;
        s21 += x2 * b1;
        s30 += x3 * b0;
        s31 += x3 * b1;
      }
      float* o = out + i * n + j;
      *reinterpret_cast<Eight*>(o) = s00;
      *reinterpret_cast<Eight*>(o + 8) = s01;
      *reinterpret_cast<Eight*>(o + n) = s10;
      *reinterpret_cast<Eight*>(o + n + 8) = s11;
      *reinterpret_cast<Eight*>(o + 2 * n) = s20;
      *reinterpret_cast<Eight*>(o + 2 * n + 8) = s21;
      *reinterpret_cast<Eight*>(o + 3 * n) = s30;
      *reinterpret_cast<Eight*>(o + 3 * n + 8) = s31;
    }
    for (; i < m; ++i) {
      Eight s0{}, s1{};
      for (std::size_t k = 0; k < depth; ++k) {
        const float x = a[i * a_row + k * a_step];
        s0 += x * *reinterpret_cast<const Eight*>(&strip[16 * k]);
        s1 += x * *reinterpret_cast<const Eight*>(&strip[16 * k + 8]);
      }
      *reinterpret_cast<Eight*>(out + i * n + j) = s0;
      *reinterpret_cast<Eight*>(out + i * n + j + 8) = s1;
    }
  }
  for (; j < n; ++j) {
    for (std::size_t i = 0; i < m; ++i) {
      float s = 0;
      for (std::size_t k = 0; k < depth; ++k) s += a[i * a_row + k * a_step] * b[k * n + j];
      out[i * n + j] = s;
    }
  }
}

}  // namespace

void multiply(const Matrix& a, const Matrix& b, Matrix& out) {
  assert(a.columns == b.rows && out.rows == a.rows && out.columns == b.columns);
  product(a.values.data(), a.columns, 1, b.values.data(), out.values.data(), a.rows, b.columns, a.columns);
}

void multiply_transposed_left(const Matrix& a, const Matrix& b, Matrix& out) {
  assert(a.rows == b.rows && out.rows == a.columns && out.columns == b.columns);
  product(a.values.data(), 1, a.columns, b.values.data(), out.values.data(), a.columns, b.columns, a.rows);
}

void multiply_transposed_right(const Matrix& a, const Matrix& b, Matrix& out) {
  assert(a.columns == b.columns && out.rows == a.rows && out.columns == b.rows);
  Matrix turned(b.columns, b.rows);
  for (std::size_t r = 0; r < b.rows; ++r)
    for (std::size_t c = 0; c < b.columns; ++c) turned.values[c * b.rows + r] = b.values[r * b.columns + c];
  multiply(a, turned, out);
}

}  // namespace heng::insight
