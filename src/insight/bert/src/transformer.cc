#include "heng/insight_bert/transformer.h"

#include <cmath>
#include <utility>

namespace heng::insight_bert {
namespace {

void softmax_rows(Matrix& scores) {
  for (Eigen::Index r = 0; r < scores.rows(); ++r) {
    scores.row(r).array() -= scores.row(r).maxCoeff();
    scores.row(r) = scores.row(r).array().exp();
    scores.row(r) /= scores.row(r).sum();
  }
}

void attention(const Encoder& encoder, const Segments& segments, LayerCache& cache, bool keep) {
  const int width = encoder.shape.width, heads = encoder.shape.heads, each = width / heads;
  const float scale = 1.0F / std::sqrt(static_cast<float>(each));
  cache.context.resize(cache.qkv.rows(), width);
  cache.probabilities.resize(keep ? static_cast<std::size_t>(segments.count() * heads) : 1);
  for (int s = 0; s < segments.count(); ++s) {
    const int first = segments.first(s), n = segments.size(s);
    for (int h = 0; h < heads; ++h) {
      const auto q = cache.qkv.block(first, h * each, n, each);
      const auto k = cache.qkv.block(first, width + h * each, n, each);
      const auto v = cache.qkv.block(first, 2 * width + h * each, n, each);
      Matrix& p = cache.probabilities[keep ? static_cast<std::size_t>(s * heads + h) : 0];
      p.resize(n, n);
      p.noalias() = q * k.transpose() * scale;
      softmax_rows(p);
      cache.context.block(first, h * each, n, each).noalias() = p * v;
    }
  }
}

void attention_backward(const Encoder& encoder, const Segments& segments, const LayerCache& cache, const Matrix& dcontext, Matrix& dqkv) {
  const int width = encoder.shape.width, heads = encoder.shape.heads, each = width / heads;
  const float scale = 1.0F / std::sqrt(static_cast<float>(each));
  dqkv.resize(cache.qkv.rows(), 3 * width);
  Matrix dp;
  for (int s = 0; s < segments.count(); ++s) {
    const int first = segments.first(s), n = segments.size(s);
    for (int h = 0; h < heads; ++h) {
      const auto q = cache.qkv.block(first, h * each, n, each);
      const auto k = cache.qkv.block(first, width + h * each, n, each);
      const auto v = cache.qkv.block(first, 2 * width + h * each, n, each);
      const auto dout = dcontext.block(first, h * each, n, each);
      const Matrix& p = cache.probabilities[static_cast<std::size_t>(s * heads + h)];
      dp.resize(n, n);
      dp.noalias() = dout * v.transpose();
      for (int r = 0; r < n; ++r) {
        const float along = dp.row(r).dot(p.row(r));
        dp.row(r) = p.row(r).array() * (dp.row(r).array() - along) * scale;
      }
      dqkv.block(first, h * each, n, each).noalias() = dp * k;
      dqkv.block(first, width + h * each, n, each).noalias() = dp.transpose() * q;
      dqkv.block(first, 2 * width + h * each, n, each).noalias() = p.transpose() * dout;
    }
  }
}

}  // namespace

Encoder add_encoder(Layout& layout, const EncoderShape& shape) {
  Encoder encoder;
  encoder.shape = shape;
  encoder.tokens = layout.add("token_embd.weight", shape.vocabulary, shape.width, Group::frozen, false);
  encoder.token_type = layout.add("token_types.weight", 2, shape.width, Group::frozen, false);
  encoder.position = layout.add("position_embd.weight", shape.positions, shape.width, Group::frozen, false);
  encoder.embedding_norm = add_norm(layout, "token_embd_norm", shape.width, shape.epsilon, Group::frozen);
  for (int i = 0; i < shape.layers; ++i) {
    const Group group = i < shape.frozen ? Group::frozen : Group::encoder;
    const std::string name = "blk." + std::to_string(i) + ".";
    EncoderLayer layer;
    layer.qkv = add_linear(layout, name + "attn_qkv", shape.width, 3 * shape.width, group);
    layer.output = add_linear(layout, name + "attn_output", shape.width, shape.width, group);
    layer.attention_norm = add_norm(layout, name + "attn_output_norm", shape.width, shape.epsilon, group);
    layer.up = add_linear(layout, name + "ffn_up", shape.width, shape.inner, group);
    layer.down = add_linear(layout, name + "ffn_down", shape.inner, shape.width, group);
    layer.output_norm = add_norm(layout, name + "layer_output_norm", shape.width, shape.epsilon, group);
    encoder.layers.push_back(layer);
  }
  return encoder;
}

void embed(const Pass& pass, const Encoder& encoder, const Segments& segments, const std::vector<std::int32_t>& ids, Matrix& x) {
  Matrix sum(segments.rows(), encoder.shape.width);
  for (int s = 0; s < segments.count(); ++s) {
    for (int i = 0; i < segments.size(s); ++i) {
      const int r = segments.first(s) + i;
      sum.row(r) = row(pass.values, encoder.tokens, ids[static_cast<std::size_t>(r)]) + row(pass.values, encoder.token_type) +
                   row(pass.values, encoder.position, i);
    }
  }
  NormCache cache;
  forward(pass, encoder.embedding_norm, sum, cache, x);
}

void forward(const Pass& pass, const Encoder& encoder, const EncoderLayer& layer, const Segments& segments, Matrix& x, LayerCache& cache) {
  const bool keep = pass.grads != nullptr;
  forward(pass, layer.qkv, x, cache.qkv);
  attention(encoder, segments, cache, keep);
  Matrix attended;
  forward(pass, layer.output, cache.context, attended);
  cache.attended_mask.resize(0, 0);
  dropout(pass, attended, cache.attended_mask);
  attended += x;
  if (keep) cache.x = std::move(x);
  forward(pass, layer.attention_norm, attended, cache.attention_norm, cache.y);
  forward(pass, layer.up, cache.y, cache.up);
  gelu(cache.up, cache.inner);
  Matrix down;
  forward(pass, layer.down, cache.inner, down);
  cache.down_mask.resize(0, 0);
  dropout(pass, down, cache.down_mask);
  down += cache.y;
  forward(pass, layer.output_norm, down, cache.output_norm, x);
}

void backward(const Pass& pass, const Encoder& encoder, const EncoderLayer& layer, const Segments& segments, LayerCache& cache, Matrix& dx) {
  Matrix dsum;
  backward(pass, layer.output_norm, cache.output_norm, dx, dsum);
  Matrix dy = dsum;  // the residual's part
  dropout_backward(cache.down_mask, dsum);
  Matrix dinner, dthrough;
  backward(pass, layer.down, cache.inner, dsum, &dinner);
  gelu_backward(cache.up, dinner);
  backward(pass, layer.up, cache.y, dinner, &dthrough);
  dy += dthrough;
  Matrix dattended;
  backward(pass, layer.attention_norm, cache.attention_norm, dy, dattended);
  dx = dattended;
  dropout_backward(cache.attended_mask, dattended);
  Matrix dcontext, dqkv;
  backward(pass, layer.output, cache.context, dattended, &dcontext);
  attention_backward(encoder, segments, cache, dcontext, dqkv);
  backward(pass, layer.qkv, cache.x, dqkv, &dthrough);
  dx += dthrough;
}

}  // namespace heng::insight_bert
