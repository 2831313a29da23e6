#include "store/extent_table.hpp"

#include <algorithm>

#include "store/catalog.hpp"
#include "store/keys.hpp"

namespace lookback::store {

void ExtentTable::load(const ExtentRecord& record, SharedDescriptor file) {
  const std::lock_guard lock(mutex_);
  if (file) dirty_.insert(record.key);
  total_bytes_ += record.size_bytes;
  last_id_ = std::max(last_id_, record.key.id);
  entries_[record.key] = {.record = record, .file = std::move(file), .open = false, .failed = false};
}

void ExtentTable::reserve_ids(std::uint64_t used) {
  const std::lock_guard lock(mutex_);
  last_id_ = std::max(last_id_, used);
}

std::uint64_t ExtentTable::next_id() {
  const std::lock_guard lock(mutex_);
  return ++last_id_;
}

Result<void> ExtentTable::add(const ExtentRecord& record, SharedDescriptor file) {
  const std::lock_guard lock(mutex_);
  Batch batch;
  put(batch, record);
  if (auto written = index_.write(batch); !written) return written;
  entries_[record.key] = {.record = record, .file = std::move(file), .open = true, .failed = false};
  dirty_.insert(record.key);
  total_bytes_ += record.size_bytes;
  open_bytes_ += record.size_bytes;
  new_names_ = true;
  return {};
}

void ExtentTable::advance(const ExtentKey& key, std::uint64_t size_bytes, std::uint64_t last_msn,
                          std::int64_t end_pdt_us) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_.at(key);
  const auto growth = size_bytes - entry.record.size_bytes;
  total_bytes_ += growth;
  open_bytes_ += growth;
  entry.record.size_bytes = size_bytes;
  entry.record.last_msn = last_msn;
  entry.record.end_pdt_us = std::max(entry.record.end_pdt_us, end_pdt_us);
  dirty_.insert(key);
}

void ExtentTable::close(const ExtentKey& key) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_.at(key);
  if (!entry.open) return;
  entry.open = false;
  open_bytes_ -= entry.record.size_bytes;
  dirty_.insert(key);
}

Result<void> ExtentTable::remove(const std::vector<ExtentKey>& keys, Batch& batch) {
  const std::lock_guard lock(mutex_);
  for (const auto& key : keys) batch.erase(Family::extents, extent_key(key));
  if (auto written = index_.write(batch); !written) return written;
  for (const auto& key : keys) {
    const auto found = entries_.find(key);
    if (found == entries_.end()) continue;
    total_bytes_ -= found->second.record.size_bytes;
    if (found->second.open) open_bytes_ -= found->second.record.size_bytes;
    entries_.erase(found);
    dirty_.erase(key);
  }
  return {};
}

std::vector<ExtentTable::Dirty> ExtentTable::dirty() const {
  const std::lock_guard lock(mutex_);
  std::vector<Dirty> out;
  for (const auto& key : dirty_) {
    const auto& entry = entries_.at(key);
    if (!entry.failed) out.push_back({entry.record, entry.file});
  }
  return out;
}

bool ExtentTable::take_new_names() {
  const std::lock_guard lock(mutex_);
  return std::exchange(new_names_, false);
}

Result<void> ExtentTable::commit(const std::vector<Dirty>& synced) {
  const std::lock_guard lock(mutex_);
  Batch batch;
  std::vector<Entry*> reached;
  for (const auto& [snapshot, file] : synced) {
    const auto found = entries_.find(snapshot.key);
    if (found == entries_.end() || found->second.failed) continue;
    auto& entry = found->second;
    // The index gets the extent as it was when its bytes became durable: recovery starts at that last msn.
    auto record = snapshot;
    record.synced_bytes = snapshot.size_bytes;
    record.sealed = !entry.open && entry.record.size_bytes == snapshot.size_bytes;
    put(batch, record);
    entry.record.synced_bytes = record.synced_bytes;
    entry.record.sealed = record.sealed;
    reached.push_back(&entry);
  }
  if (auto written = index_.write(batch); !written) return written;
  for (auto* entry : reached) {
    const auto& record = entry->record;
    if (record.sealed) entry->file.reset();
    if (record.sealed || (entry->open && record.synced_bytes == record.size_bytes)) dirty_.erase(record.key);
  }
  return {};
}

void ExtentTable::mark_failed(const ExtentKey& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(key); found != entries_.end()) found->second.failed = true;
}

Result<void> ExtentTable::end_failed(const ExtentKey& key) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return {};
  auto& entry = found->second;
  const auto lost = entry.record.size_bytes - entry.record.synced_bytes;
  total_bytes_ -= lost;
  if (entry.open) open_bytes_ -= entry.record.size_bytes;
  entry.record.size_bytes = entry.record.synced_bytes;
  entry.record.sealed = true;
  entry.open = false;
  entry.file.reset();
  dirty_.erase(key);
  Batch batch;
  put(batch, entry.record);
  return index_.write(batch);
}

std::uint64_t ExtentTable::total_bytes() const {
  const std::lock_guard lock(mutex_);
  return total_bytes_;
}

std::uint64_t ExtentTable::closed_bytes() const {
  const std::lock_guard lock(mutex_);
  return total_bytes_ - open_bytes_;
}

std::optional<ExtentRecord> ExtentTable::find(const ExtentKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::nullopt : std::optional(found->second.record);
}

std::optional<ExtentRecord> ExtentTable::nth(StreamId stream, TrackId track, std::size_t index) const {
  const std::lock_guard lock(mutex_);
  auto at = entries_.lower_bound({stream, track, 0});
  for (; index > 0 && at != entries_.end(); --index) ++at;
  if (at == entries_.end() || at->first.stream != stream || at->first.track != track) return std::nullopt;
  return at->second.record;
}

std::optional<ExtentRecord> ExtentTable::oldest_closed(const std::vector<ExtentRecord>& except) const {
  const auto is_excepted = [&](const ExtentKey& key) {
    return std::ranges::any_of(except, [&](const auto& extent) { return extent.key == key; });
  };
  const std::lock_guard lock(mutex_);
  const Entry* oldest = nullptr;
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto& [key, entry] = *at;
    if (is_excepted(key)) {
      ++at;
      continue;
    }
    if (!entry.open && (!oldest || entry.record.end_pdt_us < oldest->record.end_pdt_us)) oldest = &entry;
    at = entries_.upper_bound({key.stream, key.track, UINT64_MAX});  // the next track
  }
  return oldest ? std::optional(oldest->record) : std::nullopt;
}

std::vector<ExtentRecord> ExtentTable::ending_by(StreamId stream, TrackId track,
                                                 std::int64_t cutoff_pdt_us) const {
  const std::lock_guard lock(mutex_);
  std::vector<ExtentRecord> out;
  for (auto at = entries_.lower_bound({stream, track, 0}); at != entries_.end(); ++at) {
    const auto& [key, entry] = *at;
    if (key.stream != stream || key.track != track || entry.open || entry.record.end_pdt_us > cutoff_pdt_us)
      break;
    out.push_back(entry.record);
  }
  return out;
}

}  // namespace lookback::store
