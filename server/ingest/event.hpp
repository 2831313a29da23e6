#pragma once
#include <cstddef>
#include <variant>

#include "packager/cue.hpp"
#include "packager/media/sample.hpp"
#include "packager/media/track_format.hpp"

namespace lookback::server {

/// A new codec configuration of a track. The first of each kind announces the track.
struct FormatChange {
  packager::TrackFormat format;
};

/// One thing out of a source, in the order it came.
using IngestEvent = std::variant<FormatChange, packager::SourceSample, packager::SourceCue>;

/// About what it takes in memory, in bytes.
std::size_t weight(const IngestEvent& event);

}  // namespace lookback::server
