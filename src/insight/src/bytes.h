#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace heng::insight {

/// Numbers and arrays into a section of a task file, little-endian (the only order this program runs on).
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}
  template <class T>
  void number(T value) {
    static_assert(std::is_arithmetic_v<T>);
    out_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <class T>
  void array(const std::vector<T>& values) {
    static_assert(std::is_arithmetic_v<T>);
    out_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }

 private:
  std::string& out_;
};

/// Reads what ByteWriter wrote; what is not there reads as zero and ok() turns false.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}
  template <class T>
  T number() {
    T value{};
    if (take(sizeof value)) std::memcpy(&value, taken_.data(), sizeof value);
    return value;
  }
  template <class T>
  std::vector<T> array(std::size_t count) {
    std::vector<T> values;
    if (count > rest_.size() / sizeof(T)) {
      ok_ = false;
      return values;
    }
    if (take(count * sizeof(T)) && count > 0) {
      values.resize(count);
      std::memcpy(values.data(), taken_.data(), taken_.size());
    }
    return values;
  }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && rest_.empty(); }

 private:
  bool take(std::size_t size) {
    if (!ok_ || size > rest_.size()) return ok_ = false;
    taken_ = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return true;
  }
  std::string_view rest_, taken_;
  bool ok_ = true;
};

}  // namespace heng::insight
