#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace heng {

/// How far a text may be trusted. What is derived from two values carries the lower one.
enum class Integrity { untrusted, user, system };

/// Data classes of JR/T 0171: C3 authenticates a customer, C2 identifies or describes one, C1 the rest.
enum class DataClass { c1, c2, c3 };

/// Travels with every value. See DESIGN.md section 2.
struct Labels {
  std::string source;                             ///< "document:12", "user", "tool:calculator", "model".
  Integrity integrity = Integrity::untrusted;
  DataClass data_class = DataClass::c1;
  std::vector<std::string> readers;               ///< Roles that may read it; empty: every role of the tenant.
};

/// The labels of a value derived from both: lowest integrity, highest class, readers of both.
inline Labels join(const Labels& a, const Labels& b) {
  Labels out;
  out.source = a.source == b.source ? a.source : a.source + "+" + b.source;
  out.integrity = std::min(a.integrity, b.integrity);
  out.data_class = std::max(a.data_class, b.data_class);
  if (a.readers.empty()) {
    out.readers = b.readers;
  } else if (b.readers.empty()) {
    out.readers = a.readers;
  } else {
    for (const auto& reader : a.readers)
      if (std::find(b.readers.begin(), b.readers.end(), reader) != b.readers.end()) out.readers.push_back(reader);
    if (out.readers.empty()) out.readers.push_back("nobody");
  }
  return out;
}

}  // namespace heng
