#pragma once

#include <Eigen/Core>

#include <cstddef>
#include <vector>

namespace heng::insight_bert {

/// Rows are tokens, columns are features.
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using RowVector = Eigen::Matrix<float, 1, Eigen::Dynamic, Eigen::RowMajor>;
using MatrixMap = Eigen::Map<Matrix>;
using ConstMatrixMap = Eigen::Map<const Matrix>;
using RowMap = Eigen::Map<RowVector>;
using ConstRowMap = Eigen::Map<const RowVector>;

/// Several sequences one below the other: sequence s has the rows [begin[s], begin[s + 1]).
struct Segments {
  std::vector<int> begin{0};
  int count() const { return static_cast<int>(begin.size()) - 1; }
  int rows() const { return begin.back(); }
  int size(int s) const { return begin[static_cast<std::size_t>(s) + 1] - begin[static_cast<std::size_t>(s)]; }
  int first(int s) const { return begin[static_cast<std::size_t>(s)]; }
  void add(int rows_of_sequence) { begin.push_back(begin.back() + rows_of_sequence); }
};

/// A block of the parameters: `rows` × `cols` floats from `offset` on.
struct Tensor {
  std::size_t offset = 0;
  int rows = 0, cols = 0;
  std::size_t size() const { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols); }
};

inline ConstMatrixMap weights(const float* values, const Tensor& t) { return {values + t.offset, t.rows, t.cols}; }
inline MatrixMap weights(float* values, const Tensor& t) { return {values + t.offset, t.rows, t.cols}; }
inline ConstRowMap row(const float* values, const Tensor& t, int r = 0) {
  return {values + t.offset + static_cast<std::size_t>(r) * static_cast<std::size_t>(t.cols), t.cols};
}
inline RowMap row(float* values, const Tensor& t, int r = 0) {
  return {values + t.offset + static_cast<std::size_t>(r) * static_cast<std::size_t>(t.cols), t.cols};
}

}  // namespace heng::insight_bert
