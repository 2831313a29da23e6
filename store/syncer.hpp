#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "store/core.hpp"

namespace lookback::store {

/// Makes extents, then the index durable, every `sync_interval`, on a thread of its own; then unlinks files
/// that the index has forgotten. Thread-safe.
class Syncer {
 public:
  /// Told of an extent whose sync failed: what is past its `synced_bytes` counts as lost. On any thread.
  using Lost = std::function<void(const ExtentRecord&)>;

  Syncer(Core& core, Lost lost) : core_(core), lost_(std::move(lost)) {}
  ~Syncer() { stop(); }

  void start();
  /// A last round, then no more. Blocking.
  void stop();
  /// One round, on the calling thread. Blocking. Errors: io_error, reserve_reached; logged.
  Result<void> sync_now();
  /// After the next round, some in each.
  void unlink_later(const std::vector<DoomedFile>& files);
  /// Room is needed at once: unlinks files that wait while `is_short` says so. Blocking.
  void unlink_while(const std::function<bool()>& is_short);

 private:
  void run();
  Result<void> sync_extents();
  std::vector<ExtentTable::Dirty> sync_files(const std::vector<ExtentTable::Dirty>& dirty);
  bool sync_names();
  Result<void> sync_index();
  void unlink_some();
  std::vector<DoomedFile> take_doomed(std::size_t limit);

  Core& core_;
  const Lost lost_;
  std::mutex round_;                   ///< one round at a time
  bool names_pending_ = true;          ///< guarded by round_
  std::uint64_t synced_sequence_ = 0;  ///< guarded by round_
  bool complained_ = false;            ///< guarded by round_
  std::mutex mutex_;                   ///< guards what follows
  std::condition_variable wake_;
  bool stopping_ = false;
  std::deque<DoomedFile> doomed_;
  std::thread thread_;
};

}  // namespace lookback::store
