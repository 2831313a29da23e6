#include "store/syncer.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store/base/errc.hpp"
#include "store/system_error.hpp"

namespace lookback::store {
namespace {

/// Above this many files one sync of the file system is cheaper.
constexpr std::size_t max_single_syncs = 16;
/// Freeing a large file takes the disk some 10 ms: spread, so that syncs stay in time.
constexpr std::size_t unlinks_per_round = 16;

}  // namespace

void Syncer::start() {
  thread_ = std::thread([this] { run(); });
}

void Syncer::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!thread_.joinable()) return;
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Syncer::run() {
  std::unique_lock lock(mutex_);
  bool last = false;
  while (!last) {
    wake_.wait_for(lock, core_.options.sync_interval, [this] { return stopping_; });
    last = stopping_;
    lock.unlock();
    if (sync_now()) unlink_some();
    core_.growth.sample(GrowthMeter::Clock::now(), core_.extents->counters());
    core_.space.refresh_when_stale();
    lock.lock();
  }
}

Result<void> Syncer::sync_now() {
  const std::lock_guard lock(round_);
  auto done = sync_extents();
  if (done) done = sync_index();
  if (!done && !complained_) core_.options.log("syncing the store: " + done.error().message());
  if (done && complained_) core_.options.log("syncing the store: works again");
  complained_ = !done;
  return done;
}

/// Bytes are durable before the record that says so.
Result<void> Syncer::sync_extents() {
  if (core_.extents->take_new_names()) names_pending_ = true;
  const auto dirty = core_.extents->dirty();
  if (dirty.empty()) return {};
  const auto synced = sync_files(dirty);
  if (names_pending_ && !sync_names()) return Errc::io_error;
  return core_.extents->commit(synced);
}

/// Those that are durable now. After a failure the kernel has dropped the pages and forgets the error, so a
/// second try would succeed without the data: the extent's newest bytes are lost.
std::vector<ExtentTable::Dirty> Syncer::sync_files(const std::vector<ExtentTable::Dirty>& dirty) {
  std::vector<ExtentTable::Dirty> synced;
  // syncfs reports errors of other files as well: then each file is asked for its own.
  const bool all = dirty.size() > max_single_syncs && ::syncfs(core_.folder.extents_descriptor()) == 0;
  for (const auto& extent : dirty) {
    const bool whole = extent.record.synced_bytes == extent.record.size_bytes;
    if (all || whole || ::fdatasync(extent.file->get()) == 0) {
      synced.push_back(extent);
      continue;
    }
    core_.options.log(describe("syncing " + extent_name(extent.record.key.id), errno) +
                      "; what was written to it after byte " + std::to_string(extent.record.synced_bytes) +
                      " counts as lost");
    core_.extents->mark_failed(extent.record.key);
    lost_(extent.record);
  }
  return synced;
}

bool Syncer::sync_names() {
  if (::fsync(core_.folder.extents_descriptor()) == 0) {
    names_pending_ = false;
    return true;
  }
  core_.options.log(describe("syncing " + core_.folder.extents_path().string(), errno));
  return false;
}

Result<void> Syncer::sync_index() {
  const auto sequence = core_.index->sequence();
  if (sequence == synced_sequence_) return {};
  if (auto synced = core_.index->sync(); !synced) return synced;
  if (auto synced = core_.stream_log.sync(); !synced) return synced;
  synced_sequence_ = sequence;
  return core_.folder.write_sync_mark(sequence);
}

void Syncer::unlink_later(const std::vector<DoomedFile>& files) {
  const std::lock_guard lock(mutex_);
  doomed_.insert(doomed_.end(), files.begin(), files.end());
}

std::vector<DoomedFile> Syncer::take_doomed(std::size_t limit) {
  const std::lock_guard lock(mutex_);
  const auto count = static_cast<std::ptrdiff_t>(std::min(doomed_.size(), limit));
  std::vector<DoomedFile> out(doomed_.begin(), doomed_.begin() + count);
  doomed_.erase(doomed_.begin(), doomed_.begin() + count);
  return out;
}

void Syncer::unlink_some() {
  for (const auto& file : take_doomed(unlinks_per_round)) core_.cache.unlink(file.id, core_.options.log);
}

void Syncer::unlink_while(const std::function<bool()>& is_short) {
  auto next = take_doomed(1);
  if (next.empty()) return;
  const bool durable = core_.index->sync().has_value();  // logged there
  if (!durable) return unlink_later(next);
  for (; !next.empty(); next = take_doomed(1)) {
    core_.cache.unlink(next[0].id, core_.options.log);
    core_.space.freed(next[0].size_bytes);
    if (!is_short()) return;
  }
}

}  // namespace lookback::store
