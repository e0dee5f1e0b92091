#include "encoder/mlp.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "src/bytes.h"

namespace heng::insight {
namespace {

/// Gaussian error linear unit by its tanh form (Hendrycks & Gimpel 2016) and its slope.
struct Gelu {
  float value, slope;
};
Gelu gelu(float x) {
  const float t = std::tanh(0.7978846f * (x + 0.044715f * x * x * x));
  return {0.5f * x * (1 + t), 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * 0.7978846f * (1 + 3 * 0.044715f * x * x)};
}

HENG_CLONES void adam_step(float* values, const float* gradient, float* first, float* second, std::size_t size, float rate, float decay, float scale1, float scale2) {
  for (std::size_t i = 0; i < size; ++i) {
    first[i] = 0.9f * first[i] + 0.1f * gradient[i];
    second[i] = 0.999f * second[i] + 0.001f * gradient[i] * gradient[i];
    values[i] -= rate * (first[i] * scale1 / (std::sqrt(second[i] * scale2) + 1e-8f) + decay * values[i]);
  }
}

/// AdamW (Loshchilov & Hutter 2019) over one array.
class Adam {
 public:
  explicit Adam(std::size_t size) : first_(size, 0.0f), second_(size, 0.0f) {}
  void step(std::vector<float>& values, const std::vector<float>& gradient, float rate, float decay, int t) {
    const float c1 = 1 - std::pow(0.9f, static_cast<float>(t)), c2 = 1 - std::pow(0.999f, static_cast<float>(t));
    adam_step(values.data(), gradient.data(), first_.data(), second_.data(), values.size(), rate, decay, 1 / c1, 1 / c2);
  }

 private:
  std::vector<float> first_, second_;
};

void add_bias(Matrix& m, const std::vector<float>& bias) {
  for (std::size_t r = 0; r < m.rows; ++r)
    for (std::size_t c = 0; c < m.columns; ++c) m.row(r)[c] += bias[c];
}

std::vector<float> column_sums(const Matrix& m) {
  std::vector<float> sums(m.columns, 0.0f);
  for (std::size_t r = 0; r < m.rows; ++r)
    for (std::size_t c = 0; c < m.columns; ++c) sums[c] += m.row(r)[c];
  return sums;
}

/// Softmax minus the smoothed truth, divided by the rows: the gradient of the mean loss. Returns the summed loss.
double softmax_gradient(Matrix& z, const std::vector<int>& labels, double smoothing) {
  double loss = 0;
  const auto k = static_cast<float>(z.columns), rows = static_cast<float>(z.rows);
  const auto eps = static_cast<float>(smoothing);
  for (std::size_t r = 0; r < z.rows; ++r) {
    float* row = z.row(r);
    const float most = *std::max_element(row, row + z.columns);
    float sum = 0;
    const float own = row[labels[r]];
    for (std::size_t c = 0; c < z.columns; ++c) sum += row[c] = std::exp(row[c] - most);
    loss += std::log(sum) + most - own;
    for (std::size_t c = 0; c < z.columns; ++c) row[c] = (row[c] / sum - eps / k - (static_cast<int>(c) == labels[r] ? 1 - eps : 0)) / rows;
  }
  return loss;
}

void drop(Matrix& m, double share, std::mt19937_64& random, std::vector<float>* kept = nullptr) {
  if (kept) kept->assign(m.values.size(), 1.0f);
  if (share <= 0) return;
  const auto limit = static_cast<std::uint32_t>(share * 65536);
  const auto factor = static_cast<float>(1 / (1 - share));
  for (std::size_t i = 0; i < m.values.size(); i += 4) {
    std::uint64_t bits = random();
    for (std::size_t j = i; j < std::min(i + 4, m.values.size()); ++j, bits >>= 16) {
      const float scale = (bits & 0xFFFF) < limit ? 0.0f : factor;
      m.values[j] *= scale;
      if (kept) (*kept)[j] = scale;
    }
  }
}

}  // namespace

Matrix Mlp::standardise(const Matrix& vectors) const {
  Matrix out = vectors;
  for (std::size_t r = 0; r < out.rows; ++r)
    for (std::size_t c = 0; c < out.columns; ++c) out.row(r)[c] = (out.row(r)[c] - mean_[c]) * inverse_deviation_[c];
  return out;
}

Mlp Mlp::train(const Matrix& vectors, std::span<const int> labels, const std::vector<bool>& use, int classes, const MlpSettings& settings, const std::function<void(int, double)>& progress) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if (use.empty() || use[i]) order.push_back(i);
  const std::size_t d = vectors.columns, k = static_cast<std::size_t>(classes), h = static_cast<std::size_t>(settings.hidden);
  Mlp mlp;
  std::vector<double> sum(d, 0.0), squares(d, 0.0);
  for (const std::size_t i : order)
    for (std::size_t c = 0; c < d; ++c) {
      sum[c] += vectors.row(i)[c];
      squares[c] += static_cast<double>(vectors.row(i)[c]) * vectors.row(i)[c];
    }
  const double n = static_cast<double>(std::max<std::size_t>(order.size(), 1));
  for (std::size_t c = 0; c < d; ++c) {
    mlp.mean_.push_back(static_cast<float>(sum[c] / n));
    mlp.inverse_deviation_.push_back(static_cast<float>(1 / std::sqrt(std::max(squares[c] / n - sum[c] / n * sum[c] / n, 1e-8))));
  }
  const Matrix standard = mlp.standardise(vectors);
  std::mt19937_64 random(settings.seed);
  const auto fill = [&](Matrix& m, double deviation) {
    std::normal_distribution<float> normal(0, static_cast<float>(deviation));
    for (float& v : m.values) v = normal(random);
  };
  if (h > 0) {
    mlp.input_ = Matrix(d, h);
    fill(mlp.input_, std::sqrt(1.0 / static_cast<double>(d)));
    mlp.hidden_bias_.assign(h, 0.0f);
  }
  mlp.output_ = Matrix(h > 0 ? h : d, k);
  if (h > 0) fill(mlp.output_, std::sqrt(1.0 / static_cast<double>(h)));
  mlp.output_bias_.assign(k, 0.0f);

  Adam adam_input(mlp.input_.values.size()), adam_hidden(h), adam_output(mlp.output_.values.size()), adam_bias(k);
  Mlp average = mlp;
  int averaged = 0, t = 0;
  const auto mix = [](std::vector<float>& into, const std::vector<float>& from, float share) {
    for (std::size_t i = 0; i < into.size(); ++i) into[i] += share * (from[i] - into[i]);
  };
  const std::size_t batch = static_cast<std::size_t>(settings.batch), steps = (order.size() + batch - 1) / batch;
  for (int epoch = 0; epoch < settings.epochs; ++epoch) {
    std::shuffle(order.begin(), order.end(), random);
    double loss = 0;
    for (std::size_t s = 0; s < steps; ++s) {
      const std::size_t begin = s * batch, count = std::min(batch, order.size() - begin);
      const double done = (static_cast<double>(epoch) + static_cast<double>(s) / static_cast<double>(steps)) / settings.epochs;
      const auto rate = static_cast<float>(settings.learning_rate * std::min(1.0, done * 20 + 0.05) * (0.55 + 0.45 * std::cos(3.14159265 * done)));
      Matrix x(count, d);
      std::vector<int> truth(count);
      for (std::size_t r = 0; r < count; ++r) {
        std::copy_n(standard.row(order[begin + r]), d, x.row(r));
        truth[r] = labels[order[begin + r]];
      }
      drop(x, settings.input_dropout, random);
      Matrix before, a, g_input;
      std::vector<float> kept;
      if (h > 0) {
        before = Matrix(count, h);
        multiply(x, mlp.input_, before);
        add_bias(before, mlp.hidden_bias_);
        a = before;
        for (std::size_t i = 0; i < a.values.size(); ++i) {
          const Gelu g = gelu(a.values[i]);
          a.values[i] = g.value;
          before.values[i] = g.slope;
        }
        drop(a, settings.hidden_dropout, random, &kept);
      } else {
        a = x;
      }
      Matrix z(count, k), g_output(a.columns, k);
      multiply(a, mlp.output_, z);
      add_bias(z, mlp.output_bias_);
      loss += softmax_gradient(z, truth, settings.label_smoothing);
      multiply_transposed_left(a, z, g_output);
      const auto g_bias = column_sums(z);
      ++t;
      const auto decay = static_cast<float>(settings.weight_decay);
      if (h > 0) {
        Matrix back(count, h);
        multiply_transposed_right(z, mlp.output_, back);
        for (std::size_t i = 0; i < back.values.size(); ++i) back.values[i] *= kept[i] * before.values[i];
        g_input = Matrix(d, h);
        multiply_transposed_left(x, back, g_input);
        adam_input.step(mlp.input_.values, g_input.values, rate, decay, t);
        adam_hidden.step(mlp.hidden_bias_, column_sums(back), rate, 0, t);
      }
      adam_output.step(mlp.output_.values, g_output.values, rate, decay, t);
      adam_bias.step(mlp.output_bias_, g_bias, rate, 0, t);
      if (3 * epoch >= 2 * settings.epochs) {
        const float share = 1.0f / static_cast<float>(++averaged);
        mix(average.input_.values, mlp.input_.values, share);
        mix(average.hidden_bias_, mlp.hidden_bias_, share);
        mix(average.output_.values, mlp.output_.values, share);
        mix(average.output_bias_, mlp.output_bias_, share);
      }
    }
    if (progress) progress(epoch + 1, loss / n);
  }
  return averaged > 0 ? average : mlp;
}

Matrix Mlp::logits(const Matrix& vectors) const {
  Matrix a = standardise(vectors);
  if (input_.columns > 0) {
    Matrix hidden(a.rows, input_.columns);
    multiply(a, input_, hidden);
    add_bias(hidden, hidden_bias_);
    for (float& v : hidden.values) v = gelu(v).value;
    a = std::move(hidden);
  }
  Matrix z(a.rows, output_.columns);
  multiply(a, output_, z);
  add_bias(z, output_bias_);
  return z;
}

void Mlp::write(std::string& out) const {
  ByteWriter w(out);
  w.number(static_cast<std::uint32_t>(mean_.size()));
  w.number(static_cast<std::uint32_t>(input_.columns));
  w.number(static_cast<std::uint32_t>(output_.columns));
  for (const auto* array : {&mean_, &inverse_deviation_, &input_.values, &hidden_bias_, &output_.values, &output_bias_}) w.array(*array);
}

Result<Mlp> Mlp::read(std::string_view bytes) {
  ByteReader r(bytes);
  Mlp mlp;
  const std::size_t d = r.number<std::uint32_t>(), h = r.number<std::uint32_t>(), k = r.number<std::uint32_t>();
  if (!r.ok() || d == 0 || d > 65536 || h > 65536 || k < 2 || k > 100000) return Error(ErrorCode::corrupt, "the encoder head is damaged");
  mlp.mean_ = r.array<float>(d);
  mlp.inverse_deviation_ = r.array<float>(d);
  if (h > 0) {
    mlp.input_.rows = d;
    mlp.input_.columns = h;
  }
  mlp.input_.values = r.array<float>(d * h);
  mlp.hidden_bias_ = r.array<float>(h);
  mlp.output_.rows = h > 0 ? h : d;
  mlp.output_.columns = k;
  mlp.output_.values = r.array<float>(mlp.output_.rows * k);
  mlp.output_bias_ = r.array<float>(k);
  if (!r.done()) return Error(ErrorCode::corrupt, "the encoder head is damaged");
  return mlp;
}

}  // namespace heng::insight
