#include "heng/insight_bert/layers.h"

#include <cmath>
#include <utility>

#include "heng/insight_bert/short_matrix.h"

namespace heng::insight_bert {

Tensor Layout::add(std::string name, int rows, int cols, Group group, bool decay) {
  Tensor tensor{size_, rows, cols};
  entries_.push_back({std::move(name), tensor, group, decay});
  size_ += (tensor.size() + 15) / 16 * 16;  // 64-byte steps
  return tensor;
}

void Layout::set_rate(const std::string& prefix, float rate) {
  for (Entry& entry : entries_)
    if (entry.name.starts_with(prefix)) entry.rate = rate;
}

Linear add_linear(Layout& layout, const std::string& name, int in, int out, Group group) {
  return {layout.add(name + ".weight", out, in, group, true), layout.add(name + ".bias", 1, out, group, false)};
}

void forward(const Pass& pass, const Linear& layer, const Matrix& x, Matrix& y) {
  if (pass.shorts) {
    if (const auto fast = pass.shorts->find(layer.weight.offset); fast != pass.shorts->end()) {
      fast->second.multiply(x, y);
      return;
    }
  }
  y.resize(x.rows(), layer.weight.rows);
  y.noalias() = x * weights(pass.values, layer.weight).transpose();
  y.rowwise() += row(pass.values, layer.bias);
}

void backward(const Pass& pass, const Linear& layer, const Matrix& x, const Matrix& dy, Matrix* dx) {
  weights(pass.grads, layer.weight).noalias() += dy.transpose() * x;
  row(pass.grads, layer.bias) += dy.colwise().sum();
  if (dx) {
    dx->resize(dy.rows(), layer.weight.cols);
    dx->noalias() = dy * weights(pass.values, layer.weight);
  }
}

Norm add_norm(Layout& layout, const std::string& name, int width, float epsilon, Group group) {
  return {layout.add(name + ".weight", 1, width, group, false), layout.add(name + ".bias", 1, width, group, false), epsilon};
}

void normalise(const Matrix& x, float epsilon, NormCache& cache) {
  cache.normal.resize(x.rows(), x.cols());
  cache.inverse.resize(static_cast<std::size_t>(x.rows()));
  for (Eigen::Index r = 0; r < x.rows(); ++r) {
    const float mean = x.row(r).mean();
    cache.normal.row(r) = x.row(r).array() - mean;
    const float inverse = 1.0F / std::sqrt(cache.normal.row(r).squaredNorm() / static_cast<float>(x.cols()) + epsilon);
    cache.normal.row(r) *= inverse;
    cache.inverse[static_cast<std::size_t>(r)] = inverse;
  }
}

void normalise_backward(const NormCache& cache, const Matrix& dnormal, Matrix& dx) {
  dx.resize(dnormal.rows(), dnormal.cols());
  const float n = static_cast<float>(dnormal.cols());
  for (Eigen::Index r = 0; r < dnormal.rows(); ++r) {
    const float mean = dnormal.row(r).sum() / n;
    const float along = dnormal.row(r).dot(cache.normal.row(r)) / n;
    dx.row(r) = (dnormal.row(r).array() - mean - cache.normal.row(r).array() * along) * cache.inverse[static_cast<std::size_t>(r)];
  }
}

void forward(const Pass& pass, const Norm& layer, const Matrix& x, NormCache& cache, Matrix& y) {
  normalise(x, layer.epsilon, cache);
  y = cache.normal.array().rowwise() * row(pass.values, layer.gain).array();
  y.rowwise() += row(pass.values, layer.bias);
}

void backward(const Pass& pass, const Norm& layer, const NormCache& cache, const Matrix& dy, Matrix& dx) {
  row(pass.grads, layer.gain) += (dy.array() * cache.normal.array()).matrix().colwise().sum();
  row(pass.grads, layer.bias) += dy.colwise().sum();
  const Matrix dnormal = dy.array().rowwise() * row(pass.values, layer.gain).array();
  normalise_backward(cache, dnormal, dx);
}

namespace {
constexpr float gelu_scale = 0.7978845608F;  // √(2/π)
constexpr float gelu_cubic = 0.044715F;
}  // namespace

void gelu(const Matrix& x, Matrix& y) {
  const auto a = x.array();
  y = 0.5F * a * (1.0F + (gelu_scale * a * (1.0F + gelu_cubic * a.square())).tanh());
}

void gelu_backward(const Matrix& x, Matrix& dy) {
  for (Eigen::Index r = 0; r < x.rows(); ++r) {
    const auto a = x.row(r).array();
    const RowVector t = (gelu_scale * a * (1.0F + gelu_cubic * a.square())).tanh();
    dy.row(r).array() *= 0.5F * (1.0F + t.array()) +
                         0.5F * a * (1.0F - t.array().square()) * gelu_scale * (1.0F + 3.0F * gelu_cubic * a.square());
  }
}

void dropout(const Pass& pass, Matrix& x, Matrix& mask) {
  if (!pass.grads || pass.dropout <= 0) return;
  mask.resize(x.rows(), x.cols());
  const float keep = 1.0F / (1.0F - pass.dropout);
  const auto threshold = static_cast<std::uint64_t>(pass.dropout * 65536.0F);
  float* out = mask.data();
  const Eigen::Index n = mask.size();
  for (Eigen::Index i = 0; i < n; i += 4) {
    std::uint64_t bits = pass.random->next();
    for (Eigen::Index j = i; j < std::min(i + 4, n); ++j, bits >>= 16) out[j] = (bits & 0xFFFF) < threshold ? 0.0F : keep;
  }
  x.array() *= mask.array();
}

void dropout_backward(const Matrix& mask, Matrix& dx) {
  if (mask.size()) dx.array() *= mask.array();
}

ConvBlock add_conv_block(Layout& layout, const std::string& name, int width, int dilation) {
  return {add_norm(layout, name + ".norm", width, 1e-5F, Group::head), add_linear(layout, name + ".conv", 3 * width, width, Group::head),
          dilation};
}

void forward(const Pass& pass, const ConvBlock& block, const Segments& segments, Matrix& x, ConvCache& cache) {
  Matrix normal;
  forward(pass, block.norm, x, cache.norm, normal);
  const Eigen::Index width = x.cols();
  cache.columns.setZero(x.rows(), 3 * width);
  for (int s = 0; s < segments.count(); ++s) {
    const int first = segments.first(s), n = segments.size(s), d = block.dilation;
    cache.columns.block(first, width, n, width) = normal.middleRows(first, n);
    if (n > d) {
      cache.columns.block(first + d, 0, n - d, width) = normal.middleRows(first, n - d);
      cache.columns.block(first, 2 * width, n - d, width) = normal.middleRows(first + d, n - d);
    }
  }
  forward(pass, block.conv, cache.columns, cache.before);
  Matrix out;
  gelu(cache.before, out);
  cache.mask.resize(0, 0);
  dropout(pass, out, cache.mask);
  x += out;
}

void backward(const Pass& pass, const ConvBlock& block, const Segments& segments, const ConvCache& cache, Matrix& dx) {
  Matrix dout = dx;
  dropout_backward(cache.mask, dout);
  gelu_backward(cache.before, dout);
  Matrix dcolumns;
  backward(pass, block.conv, cache.columns, dout, &dcolumns);
  const Eigen::Index width = dx.cols();
  Matrix dnormal = dcolumns.middleCols(width, width);
  for (int s = 0; s < segments.count(); ++s) {
    const int first = segments.first(s), n = segments.size(s), d = block.dilation;
    if (n > d) {
      dnormal.middleRows(first, n - d) += dcolumns.block(first + d, 0, n - d, width);
      dnormal.middleRows(first + d, n - d) += dcolumns.block(first, 2 * width, n - d, width);
    }
  }
  Matrix din;
  backward(pass, block.norm, cache.norm, dnormal, din);
  dx += din;
}

}  // namespace heng::insight_bert
