#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Check digits of the identifiers that finance uses. All take plain ASCII without separators; letters in upper case.
namespace heng::guard_pii {

bool luhn(std::string_view digits);                       ///< ISO/IEC 7812-1, Annex B.
bool is_date(int year, int month, int day);               ///< Gregorian, 1900…2099.
bool is_region(std::string_view two_digits);              ///< Province codes of GB/T 2260.
bool id_card_18(std::string_view s);                      ///< GB 11643: region, date, check character (last may be X).
bool id_card_15(std::string_view digits);                 ///< The form before 1999: region and date, no check digit.
bool uscc(std::string_view s);                            ///< GB 32100-2015, 18 characters, modulus 31.
bool iban(std::string_view s);                            ///< ISO 13616: country's length, modulus 97.
std::size_t iban_length(std::string_view country);        ///< 0: no such country.
bool lei(std::string_view s);                             ///< ISO 17442, modulus 97.
bool isin(std::string_view s);                            ///< ISO 6166: country or XS, modulus 10 double-add-double.
bool cusip(std::string_view s);                           ///< 9 characters, modulus 10.
bool aba_routing(std::string_view digits);                ///< 9 digits, weights 3-7-1, a Federal Reserve prefix.
bool us_ssn(std::string_view digits);                     ///< 9 digits in the ranges that the SSA issues.
bool hk_id(std::string_view s);                           ///< A123456 + check character, modulus 11.
bool tw_id(std::string_view s);                           ///< A123456789, modulus 10.

/// Brand of a payment card by its issuer identification number and length, "" where none fits (the check digit is luhn's).
std::string_view card_brand(std::string_view digits);

}  // namespace heng::guard_pii
