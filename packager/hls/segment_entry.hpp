#pragma once
#include <atomic>
#include <cstdint>
#include <string>

#include "packager/hls/presentation.hpp"
#include "store/records.hpp"

namespace lookback::packager::hls {

/// What rendering has cost since the stream started: for metrics, and for tests that hold the cost to bounds.
/// Thread-safe.
struct Work {
  std::atomic<std::uint64_t> text_bytes{0};      ///< playlist text written
  std::atomic<std::uint64_t> deflated_bytes{0};  ///< playlist text compressed
  std::atomic<std::uint64_t> copied_entries{0};  ///< segment entries and blocks copied for snapshots
};

/// What every text of one track's playlist needs. Immutable but for the counters; shared by all its
/// snapshots.
struct TrackContext {
  Timing timing;
  std::string track, generation;
  std::string media_prefix;  ///< "/live/news/": of absolute media URIs
  std::uint32_t timescale = 0;
  mutable std::atomic<std::int64_t> window_us{0};  ///< may change while the stream is live
  mutable Work work;
};

/// A complete segment as the window keeps it: its record without the parts. Its msn follows from its place.
struct SegmentEntry {
  std::int64_t start = 0;  ///< ticks
  std::int64_t pdt_us = 0;
  std::uint64_t offset = 0;
  std::uint64_t extent : 56 = 0;
  bool discontinuity : 1 = false;
  bool gap : 1 = false;
  bool independent : 1 = false;  ///< starts with a sync sample, or holds nothing
  bool names_init : 1 = false;   ///< EXT-X-MAP stands before it, for its init is not that of the one before
  std::uint32_t duration = 0;    ///< ticks
  std::uint32_t size_bytes = 0, crc32c = 0;
  std::uint32_t init_id = 0;  ///< in force; 0: none yet
  std::uint32_t discontinuity_sequence = 0;
  std::uint32_t sync_bytes = 0;  ///< 0: there is no I-frame to fetch
};
static_assert(sizeof(SegmentEntry) <= 56, "a day of a track is 43,200 of them");

/// The number of the playlist that starts with this segment: a tag that is listed counts by itself, a removed
/// one in EXT-X-DISCONTINUITY-SEQUENCE (rfc8216bis 6.2.1, 6.2.2).
inline std::uint32_t discontinuities_before(const SegmentEntry& entry) {
  return entry.discontinuity_sequence - (entry.discontinuity ? 1 : 0);
}

/// The record, without parts. `complete` is set.
store::SegmentRecord to_record(const SegmentEntry& entry, std::uint64_t msn);

/// `previous`: the segment before it, if the window has one. Audio is always independent: all its samples
/// are sync samples.
SegmentEntry to_entry(const store::SegmentRecord& record, const SegmentEntry* previous, MediaKind kind);

/// The entry when its media is lost: time and numbers stay, EXT-X-MAP too.
SegmentEntry without_media(SegmentEntry entry);

}  // namespace lookback::packager::hls
