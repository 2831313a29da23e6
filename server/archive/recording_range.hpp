#pragma once
#include <cstdint>
#include <optional>

#include "store/base/result.hpp"
#include "store/store.hpp"

namespace lookback::server {

/// Finds which stored segments a range of wall-clock time means: by the lead track (video, where there is
/// one), whose numbers all tracks share. Thread-safe; every call is blocking.
class RangeFinder {
 public:
  explicit RangeFinder(store::Store& store) : store_(store) {}

  /// The first stored segment that ends later than `start_us`, stepped back to one that starts with a sync
  /// sample, though not over a discontinuity. Empty: none yet, or it starts at `end_us` or later.
  Result<std::optional<std::uint64_t>> first(store::StreamId stream, std::int64_t start_us,
                                             std::int64_t end_us) const;
  /// One past the segment that holds the moment before `end_us`, or past the last one before it where a gap
  /// is there. Empty: that segment is not complete yet in a track that keeps up with the lead.
  Result<std::optional<std::uint64_t>> end(store::StreamId stream, std::int64_t end_us) const;
  /// One past the newest segment. 0: there is none.
  Result<std::uint64_t> newest_end(store::StreamId stream) const;

 private:
  Result<std::optional<store::TrackRecord>> lead(store::StreamId stream) const;
  Result<bool> is_whole(store::StreamId stream, store::TrackId lead, std::uint64_t msn) const;

  store::Store& store_;
};

}  // namespace lookback::server
