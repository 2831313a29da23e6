#pragma once
#include <compare>
#include <cstdint>

#include "store/records.hpp"

namespace lookback::store {

/// Names an extent. Extents of a track sort by age, as ids only grow.
struct ExtentKey {
  StreamId stream = 0;
  TrackId track = 0;
  std::uint64_t id = 0;  ///< from 1; unique among what is stored
  auto operator<=>(const ExtentKey&) const = default;
};

/// What the index says of an extent file. Written when the file is made, at each sync that reaches it (as it
/// was when the sync began), and when it is sealed: only extents that are not sealed need a look after a
/// crash.
struct ExtentRecord {
  ExtentKey key;
  std::uint32_t timescale = 0;  ///< of the track, ticks per second
  std::uint64_t first_msn = 0;  ///< of the segments inside
  std::uint64_t last_msn = 0;
  std::int64_t start_pdt_us = 0;   ///< wall clock (Unix us) of the first segment's start
  std::int64_t end_pdt_us = 0;     ///< wall clock (Unix us) of the last segment's end
  std::uint64_t size_bytes = 0;    ///< written
  std::uint64_t synced_bytes = 0;  ///< known to be durable
  bool sealed = false;             ///< no more writes, and all of it is durable
  bool operator==(const ExtentRecord&) const = default;
};

/// An extent file that the index has forgotten: to be unlinked once that is durable.
struct DoomedFile {
  std::uint64_t id = 0;
  std::uint64_t size_bytes = 0;  ///< 0: not known
};

/// Length in microseconds of `ticks`; exact to the microsecond, rounded down.
inline std::int64_t to_us(std::uint32_t ticks, std::uint32_t timescale) {
  return timescale == 0 ? 0 : static_cast<std::int64_t>(std::uint64_t{ticks} * 1'000'000 / timescale);
}

/// Wall clock (Unix us) of the segment's end.
inline std::int64_t end_pdt_us(const SegmentRecord& segment, std::uint32_t timescale) {
  return segment.pdt_us + to_us(segment.duration, timescale);
}

}  // namespace lookback::store
