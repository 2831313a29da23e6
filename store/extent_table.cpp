#include "store/extent_table.hpp"

#include <algorithm>

#include "store/catalog.hpp"
#include "store/keys.hpp"
#include "store/sheet_record.hpp"

namespace lookback::store {

void ExtentTable::count(Entry& entry) {
  const auto& record = entry.record;
  const auto names = references_.find(record.key.stream);
  entry.referenced =
      names != references_.end() && names->second.overlap(record.first_msn, record.last_msn + 1);
  const bool is_free = !entry.open && !entry.referenced;
  const std::lock_guard lock(sums_mutex_);
  for (auto* sum : {&totals_, &by_stream_[record.key.stream]}) {
    sum->all += record.size_bytes;
    if (is_free) sum->free += record.size_bytes;
    if (entry.referenced) sum->referenced += record.size_bytes;
  }
  if (is_free) free_.insert(record.key);
}

void ExtentTable::discount(const Entry& entry) {
  const auto& record = entry.record;
  const bool is_free = !entry.open && !entry.referenced;
  const std::lock_guard lock(sums_mutex_);
  for (auto* sum : {&totals_, &by_stream_[record.key.stream]}) {
    sum->all -= record.size_bytes;
    if (is_free) sum->free -= record.size_bytes;
    if (entry.referenced) sum->referenced -= record.size_bytes;
  }
  if (is_free) free_.erase(record.key);
}

void ExtentTable::insert(const ExtentRecord& record, SharedDescriptor file, bool open) {
  const auto& key = record.key;
  auto& entry = entries_[key];
  entry = {.record = record, .file = std::move(file), .open = open, .failed = false, .referenced = false};
  by_msn_.emplace(key.stream, key.track, record.first_msn, key.id);
  count(entry);
}

void ExtentTable::erase(Entries::iterator at) {
  const auto key = at->first;
  discount(at->second);
  const auto size_bytes = at->second.record.size_bytes;
  by_msn_.erase({key.stream, key.track, at->second.record.first_msn, key.id});
  dirty_.erase(key);
  entries_.erase(at);
  const std::lock_guard lock(sums_mutex_);
  counters_.removed += size_bytes;
  if (by_stream_[key.stream].all == 0) by_stream_.erase(key.stream);
}

void ExtentTable::load(const ExtentRecord& record, SharedDescriptor file) {
  const std::lock_guard lock(mutex_);
  if (file) dirty_.insert(record.key);
  last_id_ = std::max(last_id_, record.key.id);
  insert(record, std::move(file), false);
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
  insert(record, std::move(file), true);
  dirty_.insert(record.key);
  new_names_ = true;
  return {};
}

Result<void> ExtentTable::add_sealed(const ExtentRecord& record, Batch& batch) {
  const std::lock_guard lock(mutex_);
  put(batch, record);
  if (auto written = index_.write(batch); !written) return written;
  insert(record, nullptr, false);
  const std::lock_guard sums_lock(sums_mutex_);
  counters_.written += record.size_bytes;
  return {};
}

void ExtentTable::advance(const ExtentKey& key, std::uint64_t size_bytes, std::uint64_t last_msn,
                          std::int64_t end_pdt_us) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_.at(key);
  discount(entry);
  const auto growth = size_bytes - entry.record.size_bytes;
  entry.record.size_bytes = size_bytes;
  entry.record.last_msn = std::max(entry.record.last_msn, last_msn);
  entry.record.end_pdt_us = std::max(entry.record.end_pdt_us, end_pdt_us);
  count(entry);
  dirty_.insert(key);
  const std::lock_guard sums_lock(sums_mutex_);
  counters_.written += growth;
}

void ExtentTable::close(const ExtentKey& key) {
  const std::lock_guard lock(mutex_);
  auto& entry = entries_.at(key);
  if (!entry.open) return;
  discount(entry);
  entry.open = false;
  count(entry);
  dirty_.insert(key);
}

Result<void> ExtentTable::remove(const std::vector<ExtentKey>& keys, Batch& batch) {
  const std::lock_guard lock(mutex_);
  for (const auto& key : keys) batch.erase(Family::extents, extent_key(key));
  if (auto written = index_.write(batch); !written) return written;
  for (const auto& key : keys) {
    if (const auto found = entries_.find(key); found != entries_.end()) erase(found);
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
  discount(entry);
  entry.record.size_bytes = entry.record.synced_bytes;
  entry.record.sealed = true;
  entry.open = false;
  count(entry);
  entry.file.reset();
  dirty_.erase(key);
  Batch batch;
  put(batch, entry.record);
  return index_.write(batch);
}

void ExtentTable::refer(StreamId stream, std::vector<MsnRange> ranges) {
  const std::lock_guard lock(mutex_);
  MsnRanges names(std::move(ranges));
  const auto first = entries_.lower_bound({stream, 0, 0});
  const auto end = entries_.upper_bound({stream, UINT8_MAX, UINT64_MAX});
  for (auto at = first; at != end; ++at) discount(at->second);
  if (names.empty())
    references_.erase(stream);
  else
    references_[stream] = std::move(names);
  for (auto at = first; at != end; ++at) count(at->second);
}

MsnRanges ExtentTable::references(StreamId stream) const {
  const std::lock_guard lock(mutex_);
  const auto found = references_.find(stream);
  return found == references_.end() ? MsnRanges() : found->second;
}

ExtentTable::Totals ExtentTable::totals() const {
  const std::lock_guard lock(sums_mutex_);
  return totals_;
}

std::map<StreamId, ExtentTable::Totals> ExtentTable::totals_by_stream() const {
  const std::lock_guard lock(sums_mutex_);
  return by_stream_;
}

GrowthMeter::Counters ExtentTable::counters() const {
  const std::lock_guard lock(sums_mutex_);
  return counters_;
}

std::uint64_t ExtentTable::bytes_of(StreamId stream, const MsnRange& range) const {
  const std::lock_guard lock(mutex_);
  double sum = 0;
  auto at = entries_.lower_bound({stream, 0, 0});
  for (; at != entries_.end() && at->first.stream == stream; ++at) {
    const auto& record = at->second.record;
    const auto first = std::max(record.first_msn, range.first),
               end = std::min(record.last_msn + 1, range.end);
    if (first >= end) continue;
    const auto share =
        static_cast<double>(end - first) / static_cast<double>(record.last_msn + 1 - record.first_msn);
    sum += share * static_cast<double>(record.size_bytes);
  }
  return static_cast<std::uint64_t>(sum);
}

std::optional<ExtentRecord> ExtentTable::find(const ExtentKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(key);
  return found == entries_.end() ? std::nullopt : std::optional(found->second.record);
}

std::optional<ExtentRecord> ExtentTable::reaching(StreamId stream, TrackId track, std::uint64_t msn) const {
  const std::lock_guard lock(mutex_);
  const auto entry_of = [&](const ByMsn::value_type& name) -> const Entry* {
    if (std::get<0>(name) != stream || std::get<1>(name) != track) return nullptr;
    return &entries_.at({stream, track, std::get<3>(name)});
  };
  auto at = by_msn_.lower_bound({stream, track, msn, 0});
  if (at != by_msn_.begin()) {
    const auto* before = entry_of(*std::prev(at));
    if (before && before->record.last_msn >= msn) return before->record;
  }
  const auto* entry = at == by_msn_.end() ? nullptr : entry_of(*at);
  return entry ? std::optional(entry->record) : std::nullopt;
}

std::optional<ExtentRecord> ExtentTable::oldest_free(const std::vector<ExtentRecord>& except) const {
  const auto is_excepted = [&](const ExtentKey& key) {
    return std::ranges::any_of(except, [&](const auto& extent) { return extent.key == key; });
  };
  const std::lock_guard lock(mutex_);
  const ExtentRecord* oldest = nullptr;
  for (auto at = free_.begin(); at != free_.end();) {
    if (is_excepted(*at)) {
      ++at;
      continue;
    }
    const auto& record = entries_.at(*at).record;
    if (!oldest || record.end_pdt_us < oldest->end_pdt_us) oldest = &record;
    if (at->track == sheet_track)
      ++at;  // sheets are made in any order
    else
      at = free_.upper_bound({at->stream, at->track, UINT64_MAX});  // the next track
  }
  return oldest ? std::optional(*oldest) : std::nullopt;
}

std::vector<ExtentRecord> ExtentTable::free_ending_by(StreamId stream, TrackId track,
                                                      std::int64_t cutoff_pdt_us, std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  std::vector<ExtentRecord> out;
  for (auto at = free_.lower_bound({stream, track, 0}); at != free_.end() && out.size() < limit; ++at) {
    const auto& record = entries_.at(*at).record;
    if (at->stream != stream || at->track != track) break;
    const bool stays = record.end_pdt_us > cutoff_pdt_us;
    if (stays && track != sheet_track) break;
    if (!stays) out.push_back(record);
  }
  return out;
}

}  // namespace lookback::store
