#pragma once

#include <map>
#include <string>
#include <vector>

#include "heng/insight_bert/matrix.h"
#include "heng/insight_bert/random.h"

namespace heng::insight_bert {

/// Which learning rate and decay a block of parameters gets.
enum class Group { frozen, encoder, head };

/// Names and places of all parameters in one flat array; the optimiser and the file see only this.
class Layout {
 public:
  struct Entry {
    std::string name;
    Tensor tensor;
    Group group = Group::head;
    bool decay = true;
    float rate = 1;                ///< Share of its group's learning rate.
  };
  Tensor add(std::string name, int rows, int cols, Group group, bool decay);
  const std::vector<Entry>& entries() const { return entries_; }
  /// Sets the share of all entries whose name begins so.
  void set_rate(const std::string& prefix, float rate);
  std::size_t size() const { return size_; }

 private:
  std::vector<Entry> entries_;
  std::size_t size_ = 0;
};

class ShortMatrix;
/// Layers in a faster form for reading, by the place of their weights.
using ShortMatrices = std::map<std::size_t, ShortMatrix>;

/// What a forward or backward pass reads and writes. `grads` is laid out as `values`; null: no training.
struct Pass {
  const float* values = nullptr;
  float* grads = nullptr;
  Random* random = nullptr;
  float dropout = 0;
  const ShortMatrices* shorts = nullptr;
};

/// y = x Wᵀ + b, W of out × in.
struct Linear {
  Tensor weight, bias;
};
Linear add_linear(Layout& layout, const std::string& name, int in, int out, Group group);
void forward(const Pass& pass, const Linear& layer, const Matrix& x, Matrix& y);
/// Adds to the gradients of W and b; `dx` (may be null) is overwritten.
void backward(const Pass& pass, const Linear& layer, const Matrix& x, const Matrix& dy, Matrix* dx);

/// Layer normalisation (Ba, Kiros, Hinton 2016) over the columns.
struct Norm {
  Tensor gain, bias;
  float epsilon = 1e-5F;
};
struct NormCache {
  Matrix normal;                 ///< Rows with mean 0 and variance 1.
  std::vector<float> inverse;    ///< 1 / standard deviation of each row.
};
Norm add_norm(Layout& layout, const std::string& name, int width, float epsilon, Group group);
void normalise(const Matrix& x, float epsilon, NormCache& cache);
/// dx of `normalise`, given the gradient of cache.normal.
void normalise_backward(const NormCache& cache, const Matrix& dnormal, Matrix& dx);
void forward(const Pass& pass, const Norm& layer, const Matrix& x, NormCache& cache, Matrix& y);
void backward(const Pass& pass, const Norm& layer, const NormCache& cache, const Matrix& dy, Matrix& dx);

/// GELU, tanh form (Hendrycks, Gimpel 2016), as llama.cpp computes it for BERT models.
void gelu(const Matrix& x, Matrix& y);
/// dx = dy · gelu'(x), in place of dy.
void gelu_backward(const Matrix& x, Matrix& dy);

/// Inverted dropout in place; `mask` holds the factors for `dropout_backward`. Leaves x alone when not training.
void dropout(const Pass& pass, Matrix& x, Matrix& mask);
void dropout_backward(const Matrix& mask, Matrix& dx);

/// Residual block: x + dropout(gelu(conv(norm(x)))), kernel 3 with the given dilation, zeros beyond a sequence's ends.
struct ConvBlock {
  Norm norm;
  Linear conv;                   ///< in = 3 × width: left, middle, right neighbour.
  int dilation = 1;
};
struct ConvCache {
  NormCache norm;
  Matrix columns, before, mask;
};
ConvBlock add_conv_block(Layout& layout, const std::string& name, int width, int dilation);
void forward(const Pass& pass, const ConvBlock& block, const Segments& segments, Matrix& x, ConvCache& cache);
/// `dx` comes in as the gradient of the output and goes out as that of the input.
void backward(const Pass& pass, const ConvBlock& block, const Segments& segments, const ConvCache& cache, Matrix& dx);

}  // namespace heng::insight_bert
