#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "store/base/bytes.hpp"

/// The records of the index, as values. Their bytes on disk: store/FORMAT.md, store/codec.hpp.
namespace lookback::store {

using StreamId = std::uint64_t;  ///< given once, never reused
using TrackId = std::uint8_t;    ///< within its stream; 0 .. 63

/// A stream's name and what may never change while its playlists live (rfc8216bis 6.2.1).
struct StreamRecord {
  StreamId id = 0;
  std::string name;                     ///< "live/news"
  std::string generation;               ///< 4 characters of [a-z0-9], in every media name: a stream that is
                                        ///< deleted and made anew never reuses a cached URL
  std::uint32_t target_duration_s = 0;  ///< EXT-X-TARGETDURATION; 0: not chosen yet
  std::uint32_t part_target_us = 0;     ///< EXT-X-PART-INF PART-TARGET; 0: not chosen yet
  std::int64_t epoch_us = 0;            ///< wall clock (Unix us) at which media time is 0
  // Floors for a stream whose segments have all expired; where segments are stored, those count.
  std::uint64_t next_msn = 0;            ///< no segment below it will ever be made again
  std::uint32_t next_discontinuity = 0;  ///< EXT-X-DISCONTINUITY-SEQUENCE after the newest segment ever
  std::int64_t end_us = 0;               ///< media time (us) at which everything ever made has ended
  /// Settings that were changed while running, as text that is opaque here; at most 64 KiB. Only
  /// Store::put_overrides changes it.
  std::string overrides = {};
  bool operator==(const StreamRecord&) const = default;
};

/// One track of a stream: "v0", "a0".
struct TrackRecord {
  TrackId id = 0;
  std::string name;
  std::uint32_t timescale = 0;  ///< ticks per second; never changes
};

/// A media initialization section (EXT-X-MAP). Immutable under its id.
struct InitRecord {
  TrackId track = 0;
  std::uint32_t id = 0;           ///< counts from 1 within the track
  std::vector<std::byte> bytes;   ///< what is served
  std::vector<std::byte> format;  ///< packager::serialize(TrackFormat): opaque here
};

/// One part of a segment, in order and contiguous inside it.
struct PartRecord {
  std::uint32_t duration = 0;  ///< ticks
  std::uint32_t size_bytes = 0;
  std::uint32_t crc32c = 0;  ///< of the part's bytes; set by the store
  bool independent = false;  ///< starts with a sync sample
  bool operator==(const PartRecord&) const = default;
};

/// Something about a span of wall-clock time that the playlists say (EXT-X-DATERANGE): kept with the segment
/// in which it came. Several with one id are about the same span.
struct DateRangeRecord {
  static constexpr std::int64_t open = INT64_MAX;  ///< an end that is not known

  std::string id;              ///< at most 255 bytes
  std::int64_t start_us = 0;   ///< Unix us
  std::int64_t end_us = open;  ///< by then it may leave the playlists
  std::string attributes;      ///< the tag's attribute list: opaque here; at most 16 KiB
  bool operator==(const DateRangeRecord&) const = default;
};

/// One segment of one track. Written anew each time a part is added, so that every listed part
/// survives `kill -9`; final once `complete`.
struct SegmentRecord {
  std::uint64_t msn = 0;                     ///< media sequence number; shared by all tracks of the stream
  std::int64_t start = 0;                    ///< ticks: tfdt of the first sample
  std::int64_t pdt_us = 0;                   ///< wall clock (Unix us) of the first presented sample
  std::uint32_t duration = 0;                ///< ticks: sum over the parts so far (a gap: its length)
  std::uint32_t init_id = 0;                 ///< 0 in a gap that has no init
  std::uint32_t discontinuity_sequence = 0;  ///< EXT-X-DISCONTINUITY-SEQUENCE that the segment has
  bool discontinuity = false;                ///< EXT-X-DISCONTINUITY stands before it
  bool gap = false;                          ///< EXT-X-GAP: no media
  bool complete = false;
  std::uint64_t extent = 0;      ///< set by the store; 0: no bytes stored
  std::uint64_t offset = 0;      ///< in the extent file; set by the store
  std::uint32_t size_bytes = 0;  ///< sum over the parts; set by the store
  std::uint32_t crc32c = 0;      ///< of all its bytes so far; set by the store
  std::uint32_t sync_bytes = 0;  ///< its first bytes up to the end of the first sample, when that is a sync
                                 ///< sample (EXT-X-I-FRAMES-ONLY); 0: it is not, or that is not known
  std::vector<PartRecord> parts;
  std::vector<DateRangeRecord> date_ranges = {};  ///< that came while it grew; at most 64
  bool operator==(const SegmentRecord&) const = default;
};

/// A recording: a reference to segments of a stream, in all its tracks. Extents with segments in
/// [first_msn, end_msn) stay, however old, until no recording names them.
struct RecordingRecord {
  static constexpr std::uint64_t open = UINT64_MAX;  ///< an msn that is not known yet

  std::string id;  ///< 12 of [a-z0-9], random; never reused
  StreamId stream = 0;
  std::string name;
  std::int64_t created_us = 0;
  std::int64_t start_us = 0;       ///< asked for (Unix us)
  std::int64_t end_us = 0;         ///< asked for; INT64_MAX: until it is stopped
  std::uint64_t first_msn = open;  ///< open: nothing yet (scheduled)
  std::uint64_t end_msn = open;    ///< exclusive; open: still grows
  bool ended = false;
  bool locked = false;             ///< protected from its own retention and from deletion
  std::int64_t keep_until_us = 0;  ///< 0: for ever
  bool by_policy = false;
  std::string reason;  ///< why it stopped, when nobody asked for that
  bool operator==(const RecordingRecord&) const = default;
};

/// What the index holds of a stream from some wall-clock time on.
struct Window {
  struct Track {
    TrackRecord track;
    std::vector<InitRecord> inits;        ///< those that the segments name, and the newest
    std::vector<SegmentRecord> segments;  ///< by msn, ascending
  };
  std::vector<Track> tracks;
};

}  // namespace lookback::store
