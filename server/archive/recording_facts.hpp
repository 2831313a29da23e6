#pragma once
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "store/base/lru.hpp"
#include "store/store.hpp"

namespace lookback::server {

struct RecordingGap {
  std::int64_t start_us = 0, end_us = 0;  ///< wall clock
  std::string reason;                     ///< as in ranges.json: no_publisher, no_media
};

/// What a recording's segments are, all tracks together.
struct RangeFacts {
  std::uint64_t bytes = 0;
  std::int64_t start_us = 0, end_us = 0;  ///< of its media; 0: none
  std::vector<RecordingGap> gaps;         ///< oldest first; at most `max_gaps`
};

/// Counts recordings' segments, a bounded number for each call, and remembers. Thread-safe.
class RecordingFacts {
 public:
  static constexpr std::size_t max_gaps = 1'000;

  /// `store` outlives it. At most `max_recordings` (>= 1) are remembered.
  explicit RecordingFacts(store::Store& store, std::size_t max_recordings = 2'000)
      : store_(store), counted_(max_recordings) {}

  /// Goes on counting; looks at up to `budget` segments of each track, and takes them off it. Empty: the
  /// budget did not suffice, ask again. Blocking. Errors: the store's.
  Result<std::optional<RangeFacts>> of(const store::RecordingRecord& record, std::uint64_t& budget);

 private:
  struct Counted {
    RangeFacts facts;
    std::uint64_t next_msn = 0;
  };
  Counted& find(const store::RecordingRecord& record);
  Result<std::uint64_t> count(const store::RecordingRecord& record, Counted& counted, std::uint64_t end_msn);

  store::Store& store_;
  std::mutex mutex_;  ///< guards what follows
  Lru<std::string, Counted> counted_;
};

}  // namespace lookback::server
