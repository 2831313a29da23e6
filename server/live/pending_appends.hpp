#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "store/store.hpp"

namespace lookback::server {

/// A stream's parts on their way to the store, in order. A part is listed when the store has it; when the
/// store has not answered for `max_delay` (a disk that stalls) all that waits is listed from memory, so that
/// the live edge goes on, and the store's answer only says later where the bytes lie. Pure: time comes in.
/// Belongs to its stream's strand. Bounded by the store's queue, which refuses at once what is beyond its
/// bound.
class PendingAppends {
 public:
  using Clock = std::chrono::steady_clock;
  struct Part {
    store::TrackId track = 0;
    store::SegmentRecord record;
    Chain bytes;
  };

  explicit PendingAppends(Clock::duration max_delay) : max_delay_(max_delay) {}

  /// Its number, for `answer`.
  std::uint64_t add(Part part, Clock::time_point now);
  /// The store's answer, once for each. The part, when it was listed before and is stored now: its record
  /// says where.
  std::optional<Part> answer(std::uint64_t id, const Result<store::SegmentRecord>& result);
  /// What is to be listed now, in order.
  std::vector<Part> take(Clock::time_point now);

  bool empty() const { return entries_.empty(); }
  const Part& part(std::uint64_t id) const { return entries_[id - first_].part; }
  /// The oldest part that has no answer has waited for too long.
  bool is_stalled(Clock::time_point now) const;
  /// When that will be; empty: none waits.
  std::optional<Clock::time_point> due() const;
  /// How many were ever listed before they were stored.
  std::uint64_t listed_unstored() const { return listed_unstored_; }

 private:
  struct Entry {
    Part part;
    Clock::time_point since;
    bool answered = false;
    bool listed = false;
  };
  const Entry* oldest_unanswered() const;

  const Clock::duration max_delay_;
  std::deque<Entry> entries_;
  std::uint64_t first_ = 0;   ///< id of entries_.front()
  std::size_t unlisted_ = 0;  ///< place of the first that is not listed
  std::uint64_t listed_unstored_ = 0;
};

}  // namespace lookback::server
