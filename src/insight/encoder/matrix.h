#pragma once

#include <cstddef>
#include <vector>

// One function for AVX2 with FMA and for any x86-64; the loader takes the machine's own. Not under sanitizers: they intercept too late.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HENG_CLONES __attribute__((target_clones("arch=haswell", "default")))
#else
#define HENG_CLONES
#endif

namespace heng::insight {

/// Row-major floats.
struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<float> values;
  Matrix() = default;
  Matrix(std::size_t r, std::size_t c) : rows(r), columns(c), values(r * c, 0.0f) {}
  float* row(std::size_t r) { return values.data() + r * columns; }
  const float* row(std::size_t r) const { return values.data() + r * columns; }
};

// Products for training small heads, compiled for AVX2 with FMA and for any x86-64; the machine's own is taken at start-up.
// Sizes are checked by assertions.

/// out = a · b
void multiply(const Matrix& a, const Matrix& b, Matrix& out);
/// out = aᵀ · b
void multiply_transposed_left(const Matrix& a, const Matrix& b, Matrix& out);
/// out = a · bᵀ
void multiply_transposed_right(const Matrix& a, const Matrix& b, Matrix& out);

}  // namespace heng::insight
