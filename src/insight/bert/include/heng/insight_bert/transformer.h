#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heng/insight_bert/layers.h"

namespace heng::insight_bert {

/// Sizes of a BERT encoder (Devlin et al. 2019).
struct EncoderShape {
  int vocabulary = 0, positions = 0;
  int width = 0, heads = 0, inner = 0;
  int layers = 0;                ///< Used; a model file may hold more.
  int frozen = 0;                ///< The lower ones that are not trained.
  float epsilon = 1e-12F;
};

struct EncoderLayer {
  Linear qkv;                    ///< Query, key and value stacked: 3 × width outputs.
  Linear output;
  Norm attention_norm;
  Linear up, down;
  Norm output_norm;
};

struct LayerCache {
  Matrix x, qkv, context, attended_mask, y, up, inner, down_mask;
  std::vector<Matrix> probabilities;  ///< [segment × heads], n × n.
  NormCache attention_norm, output_norm;
};

struct Encoder {
  EncoderShape shape;
  Tensor tokens, token_type, position;
  Norm embedding_norm;
  std::vector<EncoderLayer> layers;
};

Encoder add_encoder(Layout& layout, const EncoderShape& shape);

/// Token ids of the segments, one below the other → embedding rows.
void embed(const Pass& pass, const Encoder& encoder, const Segments& segments, const std::vector<std::int32_t>& ids, Matrix& x);
void forward(const Pass& pass, const Encoder& encoder, const EncoderLayer& layer, const Segments& segments, Matrix& x, LayerCache& cache);
/// `dx`: gradient of the layer's output in, of its input out.
void backward(const Pass& pass, const Encoder& encoder, const EncoderLayer& layer, const Segments& segments, LayerCache& cache, Matrix& dx);

}  // namespace heng::insight_bert
