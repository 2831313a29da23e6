#pragma once
#include <compare>
#include <cstdint>

#include "store/base/bytes.hpp"

namespace lookback::packager {

/// Media time: an integer count of the track's timescale.
using Ticks = std::int64_t;

enum class MediaKind : std::uint8_t { video = 0, audio = 1 };

/// One of a source's tracks: its kind, and a number that the source keeps for it. They need not be
/// contiguous.
struct SourceTrack {
  MediaKind kind = MediaKind::video;
  std::uint8_t number = 0;
  auto operator<=>(const SourceTrack&) const = default;
};

/// One access unit as it goes into a part. Immutable once made.
struct Sample {
  Ticks dts = 0;                 ///< on the stream's timeline, track timescale
  Ticks duration = 0;            ///< to the next sample's dts; > 0 when the sample is cut into a part
  std::int32_t composition = 0;  ///< PTS - DTS, in ticks; may be negative (trun version 1)
  bool sync = false;             ///< decodable without earlier samples
  Slice payload;  ///< as the sample entry's codec lays it out: length-prefixed NAL units, an AAC frame

  Ticks pts() const { return dts + composition; }
  Ticks end() const { return dts + duration; }
};

/// An access unit with the source's own clock, before it is put on the timeline.
struct SourceSample {
  MediaKind kind = MediaKind::video;
  std::int64_t dts_us = 0;          ///< unwrapped, but with the source's zero, jumps and order
  std::int32_t composition_us = 0;  ///< PTS - DTS
  bool sync = false;
  Slice payload;
  std::uint32_t ticks = 0;  ///< audio: how long it lasts, in the track's timescale; 0: as long as all others
  std::uint8_t number = 0;  ///< of the track, among those of its kind

  SourceTrack track() const { return {kind, number}; }
};

}  // namespace lookback::packager
