#include "heng/guard_pii/types.h"

#include <array>

namespace heng::guard_pii {
namespace {
constexpr std::array<std::string_view, type_count> names = {
    "id_card", "uscc", "bank_card", "iban", "lei", "isin", "cusip", "aba_routing", "us_ssn", "passport", "travel_permit", "hk_id", "tw_id",
    "us_driver_license", "phone_number", "service_number", "email_address", "url", "ip_address", "plate_number", "bank_account",
    "card_security_code", "card_expiry", "password", "one_time_code", "api_key", "private_key", "jwt", "date_of_birth", "date_time", "person",
    "address", "location", "organization", "title", "postal_code"};
}

std::string_view type_name(Type type) { return names[static_cast<std::size_t>(type)]; }

bool type_of(std::string_view name, Type& out) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) {
      out = static_cast<Type>(i);
      return true;
    }
  return false;
}

}  // namespace heng::guard_pii
