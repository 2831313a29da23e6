#pragma once
#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>

#include "store/records.hpp"

namespace lookback::store {

/// Told of a stored segment that turned out to be damaged and is a gap in the index now, so that a playlist
/// that lists it can say EXT-X-GAP from then on. Called on the writer thread: must post, not work, and must
/// not call back into the store.
using OnDamaged = std::function<void(StreamId stream, TrackId track, std::uint64_t msn)>;

/// Who is told. Thread-safe.
class DamageWatch {
 public:
  /// Replaces the one before; empty: nobody. On return the one before is not called any more.
  void set(OnDamaged watcher) {
    const std::lock_guard lock(mutex_);
    watcher_ = std::move(watcher);
  }
  void tell(StreamId stream, TrackId track, std::uint64_t msn) {
    const std::lock_guard lock(mutex_);
    if (watcher_) watcher_(stream, track, msn);
  }

 private:
  std::mutex mutex_;  ///< guards watcher_, also while it is called
  OnDamaged watcher_;
};

}  // namespace lookback::store
