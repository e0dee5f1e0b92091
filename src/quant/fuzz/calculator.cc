#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "heng/base/decimal.h"
#include "heng/quant/calculator.h"

/// Any bytes give a value that is a plain decimal, or an error.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto calculator = heng::quant::DecimalCalculator::create();
  const auto result = calculator->evaluate(std::string(reinterpret_cast<const char*>(data), size));
  if (result.ok() && !heng::Decimal::parse(result->value).ok()) std::abort();
  return 0;
}
