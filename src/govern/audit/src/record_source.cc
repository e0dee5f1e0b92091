#include "record_source.h"

#include <fmt/format.h>

namespace heng::audit {

namespace {
Error damaged(std::uint64_t index, std::string_view why) { return Error(ErrorCode::corrupt, fmt::format("record {} of the ledger is damaged: {}", index, why)); }
}  // namespace

Result<void> RecordSource::refresh(const tlog::VerifierKey* key) {
  std::string text = HENG_TRY(files_.checkpoint());
  if (text == note_) return {};
  tlog::Checkpoint checkpoint;
  if (key != nullptr) {
    auto opened = tlog::open_checkpoint(text, *key);
    if (!opened.ok()) return Error(ErrorCode::corrupt, "the ledger's checkpoint is damaged: " + opened.error().message);
    checkpoint = *opened;
  } else {
    const auto note = HENG_TRY(tlog::parse_note(text));
    checkpoint = HENG_TRY(tlog::Checkpoint::parse(note.text));
  }
  checkpoint_ = checkpoint;
  note_ = std::move(text);
  return {};
}

Result<void> RecordSource::load(std::uint64_t index) {
  if (index >= checkpoint_.size) return Error(ErrorCode::not_found, fmt::format("no record {}: the ledger has {}", index, checkpoint_.size));
  const std::uint64_t bundle = index / tlog::tile_width;
  const unsigned width = tlog::width_in(0, bundle, checkpoint_.size);
  if (bundle == bundle_ && width == width_) return {};
  bundle_ = ~std::uint64_t{0};
  const std::uint64_t first = bundle * tlog::tile_width;
  auto bytes = files_.bundle(bundle, width);
  if (!bytes.ok()) return damaged(index, bytes.error().message);
  bytes_ = std::move(*bytes);
  auto entries = tlog::parse_bundle(bytes_, width);
  if (!entries.ok()) return damaged(index, entries.error().message);
  auto tile = files_.tile(0, bundle, width);
  if (!tile.ok() || tile->size() != width * sizeof(tlog::Hash)) return damaged(index, "its tile is missing or short");
  tile_ = std::move(*tile);
  entries_ = std::move(*entries);
  decoded_.clear();
  offsets_.clear();
  std::uint64_t offset = 0;
  for (unsigned i = 0; i < width; ++i) {
    auto entry = Entry::decode(entries_[i]);
    if (!entry.ok()) return damaged(first + i, entry.error().message);
    decoded_.push_back(*entry);
    offsets_.push_back(offset);
    offset += entry->content_size;
  }
  bundle_ = bundle;
  width_ = width;
  return {};
}

Result<Entry> RecordSource::entry(std::uint64_t index) {
  HENG_TRY(load(index));
  return decoded_[index % tlog::tile_width];
}

Result<std::string> RecordSource::entry_bytes(std::uint64_t index) {
  HENG_TRY(load(index));
  return std::string(entries_[index % tlog::tile_width]);
}

Result<std::string> RecordSource::content(std::uint64_t index) {
  HENG_TRY(load(index));
  const Entry& entry = decoded_[index % tlog::tile_width];
  auto bytes = files_.content(bundle_, offsets_[index % tlog::tile_width], entry.content_size);
  if (!bytes.ok()) return damaged(index, bytes.error().message);
  if (sha256(*bytes) != entry.content_sha256) return damaged(index, "its contents do not fit their hash");
  return bytes;
}

Result<TenantId> RecordSource::tenant_of(std::uint32_t key_id) {
  if (!tenants_.contains(key_id)) {
    for (const auto& entry : keyring_.entries()) tenants_[entry.id] = entry.tenant;
  }
  const auto found = tenants_.find(key_id);
  if (found == tenants_.end()) return Error(ErrorCode::corrupt, fmt::format("the keyring has no key {}: it is older than the ledger", key_id));
  return found->second;
}

Result<Record> RecordSource::record(std::uint64_t index) {
  HENG_TRY(load(index));
  const std::size_t at = index % tlog::tile_width;
  if (tlog::leaf_hash(entries_[at]) != tlog::hash_at(tile_, at)) return damaged(index, "its entry does not fit its leaf");
  Record record{.index = index, .entry = decoded_[at]};
  const std::string sealed = HENG_TRY(content(index));
  record.tenant = HENG_TRY(tenant_of(record.entry.key_id));
  auto key = keyring_.by_id(record.entry.key_id);
  if (!key.ok() && key.error().code == ErrorCode::permission_denied) {
    record.erased = true;
    return record;
  }
  if (!key.ok()) return std::move(key).error();
  const Entry& e = record.entry;
  auto plaintext = store::unseal(*key, sealed, content_context(static_cast<std::uint8_t>(e.kind), e.key_id, e.time_ms, e.opened));
  if (!plaintext.ok() || plaintext->size() < 32) return damaged(index, "its contents cannot be decrypted");
  if (sha256(*plaintext) != e.commitment) return damaged(index, "its contents do not fit their commitment");
  record.json = plaintext->substr(32);
  return record;
}

}  // namespace heng::audit
