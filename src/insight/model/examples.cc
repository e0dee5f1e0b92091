#include "model/examples.h"

#include <algorithm>
#include <numeric>

#include "src/bytes.h"

namespace heng::insight {

std::vector<std::size_t> ExamplePool::nearest(const float* vector, std::size_t count, const std::function<bool(std::size_t)>& skip) const {
  std::vector<std::pair<float, std::size_t>> found;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (skip && skip(i)) continue;
    const float* row = vectors.row(i);
    found.emplace_back(std::inner_product(row, row + vectors.columns, vector, 0.0f), i);
  }
  count = std::min(count, found.size());
  std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count), found.end(), [](const auto& a, const auto& b) { return a.first != b.first ? a.first > b.first : a.second < b.second; });
  std::vector<std::size_t> out;
  for (std::size_t i = count; i-- > 0;) out.push_back(found[i].second);
  return out;
}

std::vector<std::size_t> ExamplePool::any(std::size_t count, std::size_t set) const {
  constexpr std::size_t step = 7919;   // a prime: passes through every row
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < std::min(count, texts.size()); ++i) out.push_back((set * count + i + 1) * step % texts.size());
  return out;
}

void ExamplePool::write(std::string& out) const {
  ByteWriter bytes(out);
  bytes.number(static_cast<std::uint64_t>(texts.size()));
  bytes.number(static_cast<std::uint64_t>(vectors.columns));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    bytes.number(static_cast<std::int32_t>(labels[i]));
    bytes.number(static_cast<std::uint64_t>(texts[i].size()));
    bytes.array(std::vector<char>(texts[i].begin(), texts[i].end()));
  }
  bytes.array(vectors.values);
}

Result<ExamplePool> ExamplePool::read(std::string_view section, std::vector<EmbeddingSource> sources, int classes) {
  const Error damaged(ErrorCode::corrupt, "the task's examples cannot be read; train it again", "task");
  ByteReader bytes(section);
  ExamplePool out;
  const auto rows = bytes.number<std::uint64_t>(), columns = bytes.number<std::uint64_t>();
  std::size_t wanted = 0;
  for (const auto& source : sources) wanted += static_cast<std::size_t>(source.dimensions);
  if (!bytes.ok() || rows == 0 || rows > section.size() || columns != wanted) return damaged;
  for (std::uint64_t i = 0; i < rows; ++i) {
    const auto label = bytes.number<std::int32_t>();
    const auto text = bytes.array<char>(bytes.number<std::uint64_t>());
    if (!bytes.ok() || label < 0 || label >= classes) return damaged;
    out.labels.push_back(label);
    out.texts.emplace_back(text.begin(), text.end());
  }
  out.vectors.rows = rows;
  out.vectors.columns = columns;
  out.vectors.values = bytes.array<float>(rows * columns);
  if (!bytes.done()) return damaged;
  out.sources = std::move(sources);
  return out;
}

Result<ExamplePool> make_pool(Inference& inference, std::span<const std::string_view> texts, std::span<const int> labels, int classes, std::vector<EmbeddingSource> sources, std::size_t most,
                              std::vector<std::size_t>* taken, std::stop_token stop) {
  std::vector<std::vector<std::size_t>> by_label(static_cast<std::size_t>(classes));
  for (std::size_t i = 0; i < texts.size(); ++i) by_label[static_cast<std::size_t>(labels[i])].push_back(i);
  std::vector<std::size_t> rows;
  for (std::size_t round = 0, before = 1; rows.size() < most && rows.size() != before; ++round) {
    before = rows.size();
    for (const auto& of_label : by_label)
      if (round < of_label.size() && rows.size() < most) rows.push_back(of_label[round]);
  }
  std::sort(rows.begin(), rows.end());
  ExamplePool pool;
  std::vector<std::string_view> chosen;
  for (const auto i : rows) {
    chosen.push_back(texts[i]);
    pool.texts.emplace_back(texts[i]);
    pool.labels.push_back(labels[i]);
  }
  pool.sources = std::move(sources);
  pool.vectors = HENG_TRY(embed_texts(inference, pool.sources, chosen, Priority::batch, stop));
  for (const auto& model : inference.models())
    for (auto& source : pool.sources)
      if (model.name == source.model && !model.sha256.empty()) source.sha256 = model.sha256;
  if (taken) *taken = std::move(rows);
  return pool;
}

}  // namespace heng::insight
