#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "store/records.hpp"

namespace lookback::store {

/// What the store takes of its disk. Bytes of extents; the index adds about 2 %.
struct Usage {
  struct Stream {
    StreamId stream = 0;
    std::uint64_t bytes = 0;
    std::uint64_t recorded_bytes = 0;  ///< of them: in extents that recordings keep
  };
  std::vector<Stream> streams;  ///< by id; those with bytes
  std::uint64_t bytes = 0, recorded_bytes = 0;
  std::uint64_t free_bytes = 0;      ///< of the disk, the reserve included; up to 10 s old
  std::uint64_t reserve_bytes = 0;   ///< store.reserve
  std::uint64_t max_size_bytes = 0;  ///< store.max_size; 0: none
  double written_per_s = 0;          ///< bytes, mean of the last hour at most
  double removed_per_s = 0;
  bool is_short = false;               ///< the newest media could not be stored for want of room
  std::uint64_t damaged_segments = 0;  ///< found by check() since the store was opened

  /// Until the reserve or the cap is reached at the rate of now; then the oldest that no recording needs goes
  /// early. Empty: it does not grow.
  std::optional<std::int64_t> seconds_left() const {
    const auto growth = written_per_s - removed_per_s;
    if (growth < 1) return std::nullopt;
    auto room = free_bytes - std::min(free_bytes, reserve_bytes);
    if (max_size_bytes > 0) room = std::min(room, max_size_bytes - std::min(max_size_bytes, bytes));
    return static_cast<std::int64_t>(static_cast<double>(room) / growth);
  }
};

/// Means of two counters that only grow, over the last hour. Thread-safe; time comes in.
class GrowthMeter {
 public:
  using Clock = std::chrono::steady_clock;
  struct Counters {
    std::uint64_t written = 0, removed = 0;
  };
  struct Rates {
    double written_per_s = 0, removed_per_s = 0;
  };

  /// More often than every 10 s is no harm.
  void sample(Clock::time_point now, const Counters& counters);
  Rates rates() const;

 private:
  struct Sample {
    Clock::time_point at;
    Counters counters;
  };
  mutable std::mutex mutex_;
  std::deque<Sample> samples_;  ///< oldest first; the last one is newer than the rest by less than the step
};

}  // namespace lookback::store
