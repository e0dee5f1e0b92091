#include "heng/audit/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "heng/base/clock.h"
#include "record_source.h"
#include "signer.h"

namespace heng::audit {

namespace {

using Json = nlohmann::json;

constexpr int tail_limit = 1000;
constexpr std::uint64_t scan_limit = 200'000;  // entries looked at for one page, so that a page has a bounded cost

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json hex_list(const std::vector<tlog::Hash>& hashes) {
  Json list = Json::array();
  for (const auto& hash : hashes) list.push_back(to_hex(hash));
  return list;
}

// "opened" and "closed" of the record and its other half; token arrays only in the full form.
void add_halves(Json& out, const Record& record, bool full) {
  if (record.erased) out["erased"] = true;
  const Json json = Json::parse(record.json, nullptr, false);
  if (!json.is_object()) return;
  if (json.contains("open")) out["opened"] = json["open"];
  if (!json.contains("close")) return;
  Json closed = json["close"];
  if (!full) {
    for (const char* name : {"prompt_tokens", "output_tokens", "output_logprobs", "output_forced"}) closed.erase(name);
  }
  out["closed"] = std::move(closed);
}

/// The class of what was read for the answer, as a verdict "data_class" says it; C1 where none does, C3 where it cannot be read.
DataClass class_of(const Json& closed) {
  DataClass highest = DataClass::c1;
  const auto verdicts = closed.find("verdicts");
  if (verdicts == closed.end() || !verdicts->is_array()) return highest;
  for (const Json& verdict : *verdicts) {
    if (!verdict.is_object() || verdict.value("rule", "") != "data_class") continue;
    const std::string name = verdict.value("verdict", "");
    highest = std::max(highest, name == "C1" ? DataClass::c1 : name == "C2" ? DataClass::c2 : DataClass::c3);
  }
  return highest;
}

/// Takes out what was said and read; who, when, which rules and all hashes stay.
void withhold_texts(Json& closed, DataClass data_class) {
  for (const char* name : {"prompt_tokens", "output_tokens", "output_logprobs", "output_forced"}) closed.erase(name);
  closed["output"] = "";
  closed["tools"] = Json::array();
  for (const auto& [list, text] : {std::pair{"verdicts", "detail"}, {"passages", "document"}})
    if (auto at = closed.find(list); at != closed.end() && at->is_array())
      for (Json& entry : *at)
        if (entry.is_object()) entry[text] = "";
  closed["withheld"] = data_class == DataClass::c3 ? "C3" : "C2";
}

}  // namespace

struct LedgerReader::Impl {
  Impl(const LedgerSettings& s, store::Keyring& k) : settings(s), keyring(k) {}

  Result<RecordSource> source() {
    RecordSource source(settings.folder, keyring);
    HENG_TRY(source.refresh(&key));
    return source;
  }

  Result<std::optional<std::uint64_t>> find_close(RecordSource& source, std::uint64_t opened, std::uint64_t limit) {
    const std::uint64_t end = std::min(source.size(), opened + 1 + limit);
    for (std::uint64_t i = opened + 1; i < end; ++i) {
      const Entry entry = HENG_TRY(source.entry(i));
      if (entry.kind == RecordKind::close && entry.opened == opened) return std::optional<std::uint64_t>(i);
    }
    return std::optional<std::uint64_t>();
  }

  Result<bool> may_see(RecordSource& source, const Entry& entry, const TenantId* tenant) {
    const TenantId owner = HENG_TRY(source.tenant_of(entry.key_id));
    // records of nobody (a refused stranger) belong to whoever runs the machine
    return tenant == nullptr || owner == *tenant || (owner.empty() && tenant->value == "default");
  }

  Result<std::string> full(RecordSource& source, std::uint64_t index, bool complete, DataClass clearance) {
    const Record record = HENG_TRY(source.record(index));
    Json out = {{"index", index}, {"kind", to_string(record.entry.kind)}, {"time_ms", record.entry.time_ms},
                {"time", iso8601(record.entry.time_ms)}, {"tenant", record.tenant.value}, {"erased", false}};
    add_halves(out, record, complete);
    if (record.entry.kind == RecordKind::close) {
      out["opened_index"] = record.entry.opened;
      out["closed_index"] = index;
      auto other = source.record(record.entry.opened);
      if (other.ok()) add_halves(out, *other, complete);
    } else if (record.entry.kind == RecordKind::open) {
      out["opened_index"] = index;
      const auto close = HENG_TRY(find_close(source, index, complete ? source.size() : 0));
      if (close) {
        out["closed_index"] = *close;
        add_halves(out, HENG_TRY(source.record(*close)), complete);
      }
    } else {
      out["opened_index"] = out["closed_index"] = index;
    }
    if (auto closed = out.find("closed"); closed != out.end() && closed->is_object())
      if (const DataClass data_class = class_of(*closed); data_class > clearance) withhold_texts(*closed, data_class);
    return dump(out);
  }

  Result<std::vector<std::string>> tail(const TenantId* tenant, int limit, std::int64_t before, DataClass clearance) {
    auto source = HENG_TRY(this->source());
    std::vector<std::string> out;
    const std::uint64_t end = before >= 0 ? std::min<std::uint64_t>(source.size(), static_cast<std::uint64_t>(before)) : source.size();
    std::unordered_set<std::uint64_t> shown;
    std::uint64_t scanned = 0;
    for (std::uint64_t i = end; i-- > 0 && out.size() < static_cast<std::size_t>(std::clamp(limit, 0, tail_limit)) && scanned < scan_limit; ++scanned) {
      const Entry entry = HENG_TRY(source.entry(i));
      if (!HENG_TRY(may_see(source, entry, tenant))) continue;
      if (entry.kind == RecordKind::close) shown.insert(entry.opened);
      if (entry.kind == RecordKind::open) {
        // shown with its close, on this page or an earlier one
        if (shown.contains(i) || (end < source.size() && HENG_TRY(find_close(source, i, 4096)))) continue;
      }
      out.push_back(HENG_TRY(full(source, i, false, clearance)));
    }
    return out;
  }

  Result<std::string> get(const TenantId* tenant, std::int64_t index, DataClass clearance) {
    auto source = HENG_TRY(this->source());
    HENG_TRY(require(source, tenant, index));
    return full(source, static_cast<std::uint64_t>(index), true, clearance);
  }

  Result<void> require(RecordSource& source, const TenantId* tenant, std::int64_t index) {
    const Error absent(ErrorCode::not_found, fmt::format("no record {}", index));
    if (index < 0 || static_cast<std::uint64_t>(index) >= source.size()) return absent;
    const Entry entry = HENG_TRY(source.entry(static_cast<std::uint64_t>(index)));
    if (!HENG_TRY(may_see(source, entry, tenant))) return absent;
    return {};
  }

  Result<std::string> prove(RecordSource& source, std::uint64_t index, std::uint64_t size) {
    if (size == 0) size = source.size();
    if (size > source.size() || index >= size) {
      return Error(ErrorCode::not_found, fmt::format("no record {} in a ledger of {} (it has {} now)", index, size, source.size()));
    }
    const std::string entry = HENG_TRY(source.entry_bytes(index));
    tlog::TileHashReader hashes(source.files(), source.size());
    const auto proof = HENG_TRY(tlog::inclusion_proof(hashes, index, size));
    const auto root = HENG_TRY(tlog::tree_root(hashes, size));
    HENG_TRY(tlog::verify_inclusion(tlog::leaf_hash(entry), index, size, proof, root));
    Json out = {{"index", index}, {"size", size}, {"leaf", to_hex(tlog::leaf_hash(entry))}, {"entry", to_base64(entry)},
                {"hashes", hex_list(proof)}, {"root", to_hex(root)}, {"checkpoint", source.checkpoint_note()}, {"verifier_key", key.text()}};
    return dump(out);
  }

  LedgerSettings settings;
  store::Keyring& keyring;
  tlog::VerifierKey key;
  std::string key_text;
};

LedgerReader::LedgerReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LedgerReader::~LedgerReader() = default;

Result<std::unique_ptr<LedgerReader>> LedgerReader::open(const LedgerSettings& settings, store::Keyring& keyring) {
  auto impl = std::make_unique<Impl>(settings, keyring);
  impl->key = HENG_TRY(make_signer(settings.origin, keyring)).verifier();
  impl->key_text = impl->key.text();
  HENG_TRY(impl->source());
  return std::unique_ptr<LedgerReader>(new LedgerReader(std::move(impl)));
}

Result<std::vector<std::string>> LedgerReader::tail(const Principal& who, int limit, std::int64_t before) { return impl_->tail(&who.tenant, limit, before, who.clearance); }
Result<std::vector<std::string>> LedgerReader::tail(int limit, std::int64_t before) { return impl_->tail(nullptr, limit, before, DataClass::c3); }
Result<std::string> LedgerReader::get(const Principal& who, std::int64_t index) { return impl_->get(&who.tenant, index, who.clearance); }
Result<std::string> LedgerReader::get(std::int64_t index) { return impl_->get(nullptr, index, DataClass::c3); }
Result<std::uint64_t> LedgerReader::size() { return HENG_TRY(impl_->source()).size(); }
Result<Record> LedgerReader::record(std::uint64_t index) { return HENG_TRY(impl_->source()).record(index); }
Result<void> LedgerReader::between(const TenantId* tenant, std::int64_t from_ms, std::int64_t to_ms, const std::function<bool(const std::string&)>& line) {
  auto source = HENG_TRY(impl_->source());
  // clocks of several processes may differ by a little, so the end is looked for with a margin
  constexpr std::int64_t margin_ms = 3'600'000;
  std::unordered_set<std::uint64_t> closed;
  for (std::uint64_t i = source.size(); i-- > 0;) {
    const Entry entry = HENG_TRY(source.entry(i));
    if (entry.time_ms < from_ms - margin_ms) return {};
    if (entry.kind == RecordKind::close) closed.insert(entry.opened);
    if (entry.kind == RecordKind::open && closed.contains(i)) continue;
    if (!HENG_TRY(impl_->may_see(source, entry, tenant))) continue;
    std::int64_t opened_ms = entry.time_ms;
    if (entry.kind == RecordKind::close) opened_ms = HENG_TRY(source.entry(entry.opened)).time_ms;
    if (opened_ms < from_ms || opened_ms >= to_ms) continue;
    if (!line(HENG_TRY(impl_->full(source, i, false, DataClass::c3)))) return {};
  }
  return {};
}

Result<std::vector<std::int64_t>> LedgerReader::records_under(const std::vector<std::uint32_t>& keys) {
  std::vector<std::int64_t> out;
  if (keys.empty()) return out;
  auto source = HENG_TRY(impl_->source());
  for (std::uint64_t i = 0; i < source.size(); ++i) {
    const Entry entry = HENG_TRY(source.entry(i));
    if (std::find(keys.begin(), keys.end(), entry.key_id) != keys.end()) out.push_back(static_cast<std::int64_t>(i));
  }
  return out;
}

Result<std::map<std::uint32_t, LedgerReader::KeyUse>> LedgerReader::key_uses() {
  auto source = HENG_TRY(impl_->source());
  std::map<std::uint32_t, KeyUse> out;
  for (std::uint64_t i = 0; i < source.size(); ++i) {
    const Entry entry = HENG_TRY(source.entry(i));
    auto& use = out[entry.key_id];
    ++use.records;
    use.newest_ms = std::max(use.newest_ms, entry.time_ms);
  }
  return out;
}

const std::string& LedgerReader::verifier_key() const { return impl_->key_text; }

Result<std::string> LedgerReader::checkpoint() {
  auto source = HENG_TRY(impl_->source());
  return dump({{"checkpoint", source.checkpoint_note()}, {"size", source.size()}, {"root", to_hex(source.checkpoint().root)}, {"verifier_key", impl_->key_text}});
}

Result<std::string> LedgerReader::proof(const Principal& who, std::int64_t index) {
  auto source = HENG_TRY(impl_->source());
  HENG_TRY(impl_->require(source, &who.tenant, index));
  return impl_->prove(source, static_cast<std::uint64_t>(index), 0);
}

Result<std::string> LedgerReader::prove(std::uint64_t index, std::uint64_t size) {
  auto source = HENG_TRY(impl_->source());
  return impl_->prove(source, index, size);
}

Result<std::string> LedgerReader::prove_consistency(std::uint64_t first, std::uint64_t second) {
  auto source = HENG_TRY(impl_->source());
  if (second == 0) second = source.size();
  if (second > source.size() || first > second) {
    return Error(ErrorCode::not_found, fmt::format("sizes {} and {} do not fit a ledger of {}", first, second, source.size()));
  }
  tlog::TileHashReader hashes(source.files(), source.size());
  const auto proof = HENG_TRY(tlog::consistency_proof(hashes, first, second));
  const auto first_root = HENG_TRY(tlog::tree_root(hashes, first));
  const auto second_root = HENG_TRY(tlog::tree_root(hashes, second));
  return dump({{"first", first}, {"second", second}, {"first_root", to_hex(first_root)}, {"second_root", to_hex(second_root)},
               {"hashes", hex_list(proof)}, {"checkpoint", source.checkpoint_note()}, {"verifier_key", impl_->key_text}});
}

Result<void> LedgerReader::export_lines(std::uint64_t first, std::uint64_t last, const std::function<bool(const std::string&)>& line) {
  auto source = HENG_TRY(impl_->source());
  for (std::uint64_t i = first; i < std::min(last, source.size()); ++i) {
    const Record record = HENG_TRY(source.record(i));
    Json out = {{"index", i}, {"kind", to_string(record.entry.kind)}, {"time", iso8601(record.entry.time_ms)}, {"tenant", record.tenant.value},
                {"erased", record.erased}, {"leaf", to_hex(tlog::leaf_hash(record.entry.encode()))},
                {"record", record.erased ? Json(nullptr) : Json::parse(record.json, nullptr, false)}};
    if (record.entry.kind == RecordKind::close) out["opened_index"] = record.entry.opened;
    if (!line(dump(out))) return {};
  }
  return {};
}

Result<VerifyReport> LedgerReader::verify(const VerifyOptions& options) { return verify_ledger(impl_->settings, impl_->keyring, impl_->key, options); }

Result<Replayable> LedgerReader::replayable(std::uint64_t index) {
  auto source = HENG_TRY(impl_->source());
  Record record = HENG_TRY(source.record(index));
  if (record.entry.kind == RecordKind::open) {
    const auto close = HENG_TRY(impl_->find_close(source, index, source.size()));
    if (!close) return Error(ErrorCode::unsupported, fmt::format("record {} was never closed: there is no output to replay", index));
    record = HENG_TRY(source.record(*close));
  }
  if (record.erased) return Error(ErrorCode::permission_denied, fmt::format("the contents of record {} were erased", index));
  return decode_replayable(record.json);
}

}  // namespace heng::audit
