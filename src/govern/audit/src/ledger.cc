#include "heng/audit/ledger.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <semaphore>
#include <thread>

#include "heng/audit/record.h"
#include "heng/base/clock.h"
#include "heng/base/log.h"
#include "record_source.h"
#include "signer.h"
#include "writer.h"

namespace heng::audit {

namespace {

/// Whose key encrypts a record.
struct Owner {
  TenantId tenant;
  std::string data_subject;
  bool conversation = false;
};
Owner owner_of(const AuditOpen& open) { return {open.principal.tenant, open.principal.data_subject, holds_conversation(open.action)}; }

struct Pending {
  LedgerWriter::Item item;
  RequestId request;
  TenantId tenant;
  std::string data_subject;
  bool conversation = false;
  Ledger::Done done;
  std::size_t bytes() const { return item.entry.size() + item.content.size(); }
};

}  // namespace

bool holds_conversation(std::string_view action) {
  for (const std::string_view known : {"ask", "chat", "embeddings", "label", "extract", "search", "feedback", "brief"})
    if (action == known) return true;
  return action.starts_with("review.");
}

struct Ledger::Impl {
  Impl(const LedgerSettings& s, store::Keyring& k, tlog::NoteSigner signer, Syscalls& calls)
      : settings(s), keyring(k), verifier_text(signer.verifier().text()), writer(s.folder, std::move(signer), calls) {}

  // Encrypts on the caller's thread and queues.
  void submit(RecordKind kind, const Owner& owner, const RequestId& request, std::int64_t time_ms, std::uint64_t opened, const std::string& json, Done done) {
    auto pending = seal(kind, owner, time_ms, opened, json);
    if (!pending.ok()) return done(std::move(pending).error());
    pending->request = request;
    pending->tenant = owner.tenant;
    pending->data_subject = owner.data_subject;
    pending->conversation = owner.conversation;
    pending->done = std::move(done);
    {
      std::unique_lock lock(mutex);
      if (queue.size() >= settings.queue_records || queued_bytes + pending->bytes() > settings.queue_bytes) {
        lock.unlock();
        return pending->done(Error(ErrorCode::overloaded, fmt::format("the ledger's queue is full ({} records); try again", settings.queue_records)));
      }
      queued_bytes += pending->bytes();
      queue.push_back(std::move(*pending));
    }
    arrived.notify_one();
  }

  Result<Pending> seal(RecordKind kind, const Owner& owner, std::int64_t time_ms, std::uint64_t opened, const std::string& json) {
    if (owner.tenant.value.starts_with("heng:")) return Error(ErrorCode::invalid_argument, "this tenant name is reserved");
    if (json.size() > settings.record_bytes) {
      return Error(ErrorCode::too_large, fmt::format("a record of {} bytes; the ledger takes at most {}", json.size(), settings.record_bytes));
    }
    store::Keyring::Use use;
    if (owner.conversation) use.purpose = store::conversation_keys;
    if (owner.conversation && settings.key_period_ms > 0) use.not_before_ms = system_clock().unix_ms() - settings.key_period_ms;
    const auto key = HENG_TRY(keyring.current(owner.tenant, owner.data_subject, use));
    std::string plaintext(32, '\0');
    system_random().fill(plaintext.data(), 32);
    plaintext += json;
    Entry entry{.kind = kind, .key_id = key.id, .time_ms = time_ms, .opened = opened};
    entry.commitment = sha256(plaintext);
    Pending pending;
    pending.item.content = store::seal(key.key, plaintext, content_context(static_cast<std::uint8_t>(kind), key.id, time_ms, opened));
    entry.content_size = pending.item.content.size();
    entry.content_sha256 = sha256(pending.item.content);
    pending.item.entry = entry.encode();
    return pending;
  }

  Result<AuditTicket> submit_and_wait(RecordKind kind, const Owner& owner, const RequestId& request, std::int64_t time_ms, std::uint64_t opened, const std::string& json) {
    std::binary_semaphore ready(0);
    Result<AuditTicket> answer = Error(ErrorCode::internal, "the ledger did not answer");
    submit(kind, owner, request, time_ms, opened, json, [&](Result<AuditTicket> result) {
      answer = std::move(result);
      ready.release();
    });
    ready.acquire();
    return answer;
  }

  Result<TenantId> tenant_of(std::uint64_t index) {
    RecordSource source(settings.folder, keyring);
    HENG_TRY(source.refresh());
    return source.tenant_of(HENG_TRY(source.entry(index)).key_id);
  }

  void run() {
    while (true) {
      std::vector<Pending> group;
      {
        std::unique_lock lock(mutex);
        arrived.wait(lock, [&] { return !queue.empty() || stopping; });
        if (queue.empty()) return;
        std::size_t bytes = 0;
        while (!queue.empty() && group.size() < settings.group_records && (group.empty() || bytes + queue.front().bytes() <= settings.group_bytes)) {
          bytes += queue.front().bytes();
          group.push_back(std::move(queue.front()));
          queue.pop_front();
        }
        queued_bytes -= bytes;
      }
      commit(group);
    }
  }

  void commit(std::vector<Pending>& group) {
    std::vector<LedgerWriter::Item> items;
    items.reserve(group.size());
    for (auto& pending : group) items.push_back(std::move(pending.item));
    auto first = writer.append(items);
    if (first.ok()) {
      size.store(static_cast<std::int64_t>(writer.size()), std::memory_order_release);
      groups.fetch_add(1, std::memory_order_relaxed);
      for (std::size_t i = 0; i < group.size(); ++i) group[i].done(AuditTicket{static_cast<std::int64_t>(*first + i), group[i].request, group[i].tenant, group[i].data_subject, group[i].conversation});
    } else {
      log::error("ledger_append_failed", {{"code", std::string(heng::to_string(first.error().code))}, {"message", first.error().message}});
      for (auto& pending : group) pending.done(first.error());
    }
  }

  LedgerSettings settings;
  store::Keyring& keyring;
  std::string verifier_text;
  LedgerWriter writer;               // used by the thread only, once it runs
  std::atomic<std::int64_t> size{0};
  std::atomic<std::uint64_t> groups{0};
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Pending> queue;
  std::size_t queued_bytes = 0;
  bool stopping = false;
  std::thread thread;
};

Ledger::Ledger(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Ledger::~Ledger() {
  {
    std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->arrived.notify_all();
  if (impl_->thread.joinable()) impl_->thread.join();
}

Result<std::unique_ptr<Ledger>> Ledger::create(const LedgerSettings& settings, store::Keyring& keyring, Syscalls& calls) {
  auto signer = HENG_TRY(make_signer(settings.origin, keyring));
  auto impl = std::make_unique<Impl>(settings, keyring, std::move(signer), calls);
  HENG_TRY(impl->writer.open());
  impl->size = static_cast<std::int64_t>(impl->writer.size());
  Impl* raw = impl.get();
  impl->thread = std::thread([raw] { raw->run(); });
  return std::unique_ptr<Ledger>(new Ledger(std::move(impl)));
}

Result<AuditTicket> Ledger::open(const AuditOpen& opened) {
  return impl_->submit_and_wait(RecordKind::open, owner_of(opened), opened.request, opened.time_ms, Entry::no_index, encode_open(opened));
}

Result<AuditTicket> Ledger::close(const AuditTicket& opened, const AuditClose& closed) {
  if (opened.index < 0 || opened.index >= size()) return Error(ErrorCode::invalid_argument, fmt::format("no record {} to close", opened.index));
  TenantId tenant = opened.tenant;
  // a ticket made by hand: the record says whose it is, but not which subject's
  if (tenant.empty()) tenant = HENG_TRY(impl_->tenant_of(static_cast<std::uint64_t>(opened.index)));
  return impl_->submit_and_wait(RecordKind::close, Owner{tenant, opened.data_subject, opened.conversation}, opened.request, closed.time_ms, static_cast<std::uint64_t>(opened.index), encode_close(closed));
}

Result<AuditTicket> Ledger::note(const AuditOpen& opened, const AuditClose& closed) {
  return impl_->submit_and_wait(RecordKind::note, owner_of(opened), opened.request, opened.time_ms, Entry::no_index, encode_note(opened, closed));
}

void Ledger::note_async(const AuditOpen& opened, const AuditClose& closed, Done done) {
  impl_->submit(RecordKind::note, owner_of(opened), opened.request, opened.time_ms, Entry::no_index, encode_note(opened, closed), std::move(done));
}

std::int64_t Ledger::size() const { return impl_->size.load(std::memory_order_acquire); }
const std::string& Ledger::verifier_key() const { return impl_->verifier_text; }
std::uint64_t Ledger::groups() const { return impl_->groups.load(std::memory_order_relaxed); }

}  // namespace heng::audit
