#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "heng/contracts/labels.h"

namespace heng::guard_pii {

/// Kinds of personal data, identifiers and secrets. Names are those of type_name(): the field's standard terms.
enum class Type {
  id_card, uscc, bank_card, iban, lei, isin, cusip, aba_routing, us_ssn, passport, travel_permit, hk_id, tw_id, us_driver_license,
  phone_number, service_number, email_address, url, ip_address, plate_number, bank_account, card_security_code, card_expiry, password,
  one_time_code, api_key, private_key, jwt, date_of_birth, date_time, person, address, location, organization, title, postal_code,
};
inline constexpr std::size_t type_count = static_cast<std::size_t>(Type::postal_code) + 1;

std::string_view type_name(Type type);
/// False where there is no such type.
bool type_of(std::string_view name, Type& out);

/// One place of a text. Positions in bytes of the original text, UTF-8 characters whole.
struct Match {
  std::size_t begin = 0, end = 0;
  Type type = Type::person;
  int score = 0;               ///< 0…100: how sure. Checked identifiers from 70.
  std::string rule;            ///< "digits", "token", "address", "tagger", … with "+base64" where it was encoded.
};

}  // namespace heng::guard_pii
