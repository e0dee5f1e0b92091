#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "heng/base/result.h"
#include "heng/guard_conduct/phrases.h"
#include "heng/guard_policy/file.h"

namespace heng::guard_conduct {

enum class ClientLevel { c1_min, c1, c2, c3, c4, c5 };
enum class ProductLevel { r1, r2, r3, r4, r5 };
std::string_view to_string(ClientLevel level);
std::string_view to_string(ProductLevel level);
/// "C1-min", "c3"; "R2". Nothing where it is none.
std::optional<ClientLevel> client_level(std::string_view text);
std::optional<ProductLevel> product_level(std::string_view text);

struct SuitabilityDecision {
  bool may_recommend = false;        ///< To this client, by the institution.
  bool may_sell_on_request = false;  ///< Without a recommendation, after the warning, at the client's own wish.
  std::string clause, reason_zh, reason_en;
};

/// The rules of one policy file of kind "suitability". Immutable; threads: safe.
class Suitability {
 public:
  /// Errors: malformed_input (file, line, reason): a level missing or doubled, C1-min above R1, a higher client with less than a lower one, a
  /// policy that recommends nothing to anybody or everything to everybody.
  static Result<std::unique_ptr<Suitability>> create(std::string_view text, const std::string& name);
  SuitabilityDecision decide(ClientLevel client, ProductLevel product) const;
  /// Where issuer and seller rate a product differently, the higher holds (金融机构产品适当性管理办法).
  static ProductLevel rated(ProductLevel by_issuer, ProductLevel by_seller) { return std::max(by_issuer, by_seller); }
  /// A text that names a client's level and recommends a product above it.
  std::vector<Violation> check(std::string_view text) const;
  const guard_policy::Header& header() const { return header_; }

 private:
  struct Client {
    ProductLevel highest = ProductLevel::r1, on_request = ProductLevel::r1;
    std::vector<std::string> names;
  };
  Suitability() = default;
  guard_policy::Header header_;
  Client clients_[6];
  std::vector<std::string> products_[5];
};

std::string_view default_suitability_text();

}  // namespace heng::guard_conduct
