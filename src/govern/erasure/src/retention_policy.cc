#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "heng/erasure/retention.h"

namespace heng::erasure {
namespace {

constexpr std::array<std::string_view, 6> names = {"conversations", "reviews", "feedback", "vault", "stream_items", "uploads"};
constexpr std::int64_t day_ms = 86'400'000;

Result<RetentionTerm> read_term(const guard_policy::Value& table, const std::string& file) {
  guard_policy::Reader reader(table, file, "keep");
  RetentionTerm out;
  const auto name = HENG_TRY(reader.text("name"));
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end())
    return reader.fail(reader.line_of("name"), fmt::format("name \"{}\" is not known; known are conversations, reviews, feedback, vault, stream_items, uploads", name));
  out.kind = static_cast<Kept>(at - names.begin());
  out.days = static_cast<int>(HENG_TRY(reader.whole_or("days", 0, 0, 36'500)));
  if (out.days < 1) return reader.fail(table.line, "days must be 1 to 36500; leave the kind out to keep it for ever");
  out.clause = HENG_TRY(reader.text_or("clause", ""));
  HENG_TRY(reader.finish());
  return out;
}

}  // namespace

std::string_view to_string(Kept kind) { return names[static_cast<std::size_t>(kind)]; }

Result<RetentionPolicy> read_retention(std::string_view text, const std::string& name) {
  const auto file = HENG_TRY(guard_policy::parse(text, name));
  auto reader = guard_policy::body(file);
  if (file.header.kind != "retention") return reader.fail(reader.line_of("kind"), fmt::format("kind is \"{}\", wanted \"retention\"", file.header.kind));
  RetentionPolicy out;
  out.header = file.header;
  out.key_days = static_cast<int>(HENG_TRY(reader.whole_or("key_days", 30, 1, 3650)));
  for (const auto* table : HENG_TRY(reader.tables_or_none("keep"))) {
    auto term = HENG_TRY(read_term(*table, name));
    if (std::any_of(out.terms.begin(), out.terms.end(), [&](const auto& known) { return known.kind == term.kind; }))
      return reader.fail(table->line, fmt::format("\"{}\" has two terms; which one holds?", to_string(term.kind)));
    out.terms.push_back(std::move(term));
  }
  HENG_TRY(reader.finish());
  if (out.terms.empty()) return reader.fail("no [[keep]]: a policy without a term deletes nothing");
  return out;
}

std::int64_t key_period_ms(const std::optional<RetentionPolicy>& policy) {
  if (!policy) return 0;
  for (const auto& term : policy->terms)
    if (term.kind == Kept::conversations) return policy->key_days * day_ms;
  return 0;
}

std::optional<std::int64_t> held_record(std::string_view subject) {
  constexpr std::string_view prefix = "record:";
  if (!subject.starts_with(prefix)) return std::nullopt;
  subject.remove_prefix(prefix.size());
  std::int64_t index = -1;
  const auto [end, error] = std::from_chars(subject.data(), subject.data() + subject.size(), index);
  if (error != std::errc() || end != subject.data() + subject.size() || index < 0) return std::nullopt;
  return index;
}

}  // namespace heng::erasure
