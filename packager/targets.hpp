#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "packager/media/sample.hpp"
#include "packager/media/track_format.hpp"

/// What is chosen before a stream's first playlist and then never changes (rfc8216bis 6.2.1): TARGETDURATION
/// and PART-TARGET, from the settings and the first GOP. Pure functions.
namespace lookback::packager {

/// A sample on the timeline, of the session's track with this index.
struct PlacedSample {
  std::size_t track = 0;
  Sample sample;
};

struct FirstSegment {
  std::optional<std::int64_t>
      segment_us;            ///< to the first sync sample at or after the target; empty: not seen yet
  std::int64_t span_us = 0;  ///< lead media seen so far
  std::int64_t longest_frame_us = 0;  ///< of the lead; 0: fewer than two samples
};

/// Looks at the lead's samples from its first sync sample on.
FirstSegment probe_first_segment(const std::vector<PlacedSample>& samples, std::size_t lead,
                                 std::uint32_t timescale, std::int64_t segment_target_us);

/// Rounded half up, at least 1 (rfc8216bis 4.4.3.1: EXTINF rounded to the nearest integer must not exceed
/// it).
std::uint32_t target_duration_s(std::int64_t longest_segment_us);

/// The wanted part target when whole frames fill at least 85 % of it; else the length of as many whole frames
/// as fit (at least one), rounded up to a millisecond: parts of 85 to 100 % must be possible (4.4.4.9).
std::int64_t part_target_us(std::int64_t wanted_us, std::int64_t longest_frame_us);

/// Ticks of a video frame when nothing better is known: of the VUI's rate, else of 25 fps.
Ticks nominal_frame(const TrackFormat& format);

}  // namespace lookback::packager
