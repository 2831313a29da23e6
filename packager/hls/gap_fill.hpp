#pragma once
#include <optional>
#include <vector>

#include "packager/hls/segment_entry.hpp"

namespace lookback::packager::hls {

/// Gap segments for the numbers between `previous` (number `previous_msn`) and `next`, whose durations add up
/// to the time between them and whose discontinuities lead to next's number (rfc8216bis 4.4.4.7, 6.2.4): what
/// a track lists that was not there while others went on. None when nothing is missing. Empty optional: the
/// two do not belong to one list.
std::optional<std::vector<store::SegmentRecord>> fill_gap(const TrackContext& track,
                                                          const SegmentEntry& previous,
                                                          std::uint64_t previous_msn,
                                                          const store::SegmentRecord& next);

}  // namespace lookback::packager::hls
