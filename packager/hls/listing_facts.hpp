#pragma once
#include <vector>

#include "packager/hls/listing.hpp"
#include "packager/hls/presentation.hpp"

/// What can be said of a listing's segments as a whole.
namespace lookback::packager::hls {

SegmentTime time_of_segment(const TrackContext& track, const SegmentEntry& entry);

/// Runs without a break. Blocks without one are passed over as a whole.
std::vector<Stretch> find_stretches(const Listing& listing);

/// Walks over all listed segments.
Measure measure(const Listing& listing);

}  // namespace lookback::packager::hls
