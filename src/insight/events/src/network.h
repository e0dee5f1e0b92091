#pragma once

#include <string>
#include <vector>

#include "spans.h"
#include "bert.h"

namespace heng::insight_events {

/// What can be said: event types, roles (without the trigger), and which type has which roles.
struct Schema {
  std::vector<std::string> types, roles;
  std::vector<std::vector<int>> type_roles;  ///< Indices into `roles`.
  int slots() const;                         ///< Pairs of type and role.
  int first_slot(int type) const;
};

struct NetworkShape {
  EncoderShape encoder;
  int width = 256;               ///< Of the convolutions.
  int pointer = 64;              ///< Of the start and end pointers' match.
  int type_width = 32;
  int contrast_width = 64;
  int longest_trigger = 12, longest_argument = 40;
  std::vector<int> dilations{1, 2, 4}, argument_dilations{1, 2};
};

/// A sentence as token ids, [CLS] first and [SEP] last, with what is known of it.
struct Example {
  std::vector<std::int32_t> ids;
  Matrix lower;                              ///< Cached output of the frozen part of the encoder.
  Matrix top;                                ///< Cached output of the whole encoder as it came; empty: computed anew.
  std::vector<SpanLabel> triggers;           ///< label: type.
  struct Event {
    int type = 0, begin = 0, last = 0;       ///< The trigger.
    std::vector<SpanLabel> arguments;        ///< label: position in type_roles[type].
  };
  std::vector<Event> events;
};

/// An event whose trigger is known: arguments are read on condition of it.
struct EventQuery {
  int segment = 0, type = 0, begin = 0, last = 0;
};

struct Weights {                 ///< Of the parts of the loss.
  float trigger = 1, argument = 1, type = 0.5F, contrast = 0.05F;
};

/// Encoder, stacked convolutions, heads. Holds no parameters itself, only where they lie (`layout`).
///
/// Sentence → encoder → convolutions → states S.
///  - type head: [max over S; S of CLS] → log-odds of each event type;
///  - trigger head: start and end pointers per type over S;
///  - argument head, once per event: S under conditional layer norm by trigger state and type, plus the distance to the
///    trigger, more convolutions, then start and end pointers per role;
///  - contrastive loss over trigger and argument states by type, which ties the two tasks.
class Network {
 public:
  Network(const NetworkShape& shape, const Schema& schema);
  const Layout& layout() const { return layout_; }
  const NetworkShape& shape() const { return shape_; }
  const Schema& schema() const { return schema_; }
  const Encoder& encoder() const { return encoder_; }

  /// Random start of the heads (the encoder's weights come from its file).
  void initialise(float* values, Random& random) const;
  /// The frozen part: ids → states below the first trained layer.
  void lower_states(const Pass& pass, const Segments& segments, const std::vector<std::int32_t>& ids, Matrix& x) const;
  /// The rest of the encoder: lower states in, its output out.
  void upper_states(const Pass& pass, const Segments& segments, Matrix& x) const;

  struct States {
    Segments segments;
    Matrix lower, top_in, mixed_top, mixed_base, s;
    NormCache mix_norm, out_norm;
    Matrix mask;
    std::vector<LayerCache> layers;        ///< Empty where the encoder's output was given.
    std::vector<ConvCache> blocks;
  };
  /// x: lower states of the segments. `top`: the encoder's output, where it is known already.
  void encode(const Pass& pass, const Segments& segments, Matrix x, States& states, const Matrix* top = nullptr) const;
  void encode_backward(const Pass& pass, States& states, Matrix ds) const;

  /// segments × types log-odds; `where` gets, for each segment and feature, the row the maximum came from.
  void types(const Pass& pass, const States& states, Matrix& pooled, std::vector<int>& where, Matrix& odds) const;
  /// Trigger scores of one segment.
  void trigger_scores(const Pass& pass, const States& states, const Matrix& pointers, const Matrix& bounds, int segment, SpanScores& out) const;
  void trigger_features(const Pass& pass, const States& states, Matrix& pointers, Matrix& bounds) const;

  struct Arguments {
    std::vector<EventQuery> queries;
    Segments segments;           ///< One per query.
    NormCache norm;              ///< Of all states, without gain.
    Matrix condition, scales;    ///< Per query: [trigger state; type]; [gain; bias].
    Matrix a;                    ///< States on condition of each query.
    NormCache out_norm;
    Matrix mask;
    std::vector<ConvCache> blocks;
    Matrix pointers, shared_bounds;
    std::vector<Matrix> own_bounds;
  };
  void arguments(const Pass& pass, const States& states, std::vector<EventQuery> queries, Arguments& out) const;
  void argument_scores(const Pass& pass, const Arguments& arguments, int query, SpanScores& out) const;

  struct Loss {
    double trigger = 0, argument = 0, type = 0, contrast = 0;
    double total() const { return trigger + argument + type + contrast; }
  };
  /// Forward and backward over the examples; gradients are added, each example counting `scale`.
  Loss learn(const Pass& pass, const std::vector<const Example*>& examples, const Weights& weights, float scale) const;

 private:
  double learn_types(const Pass&, const States&, const std::vector<const Example*>&, float scale, Matrix& ds) const;
  double learn_triggers(const Pass&, const States&, const std::vector<const Example*>&, float scale, Matrix& ds) const;
  double learn_arguments(const Pass&, const States&, const std::vector<const Example*>&, float scale, Matrix& ds) const;
  void arguments_backward(const Pass&, const States&, Arguments&, Matrix da, Matrix& ds) const;
  double learn_contrast(const Pass&, const States&, const std::vector<const Example*>&, float scale, Matrix& ds) const;

  NetworkShape shape_;
  Schema schema_;
  Layout layout_;
  Encoder encoder_;
  Linear mix_top_, mix_base_;
  Norm mix_norm_, out_norm_, argument_norm_;
  std::vector<ConvBlock> blocks_, argument_blocks_;
  Linear type_head_, trigger_pointers_, trigger_bounds_;
  Tensor trigger_lengths_;
  Tensor type_embedding_, distance_embedding_;
  Linear condition_, argument_pointers_, shared_bounds_, own_bounds_;
  Tensor argument_lengths_;
  Linear contrast_trigger_, contrast_argument_;
};

}  // namespace heng::insight_events
