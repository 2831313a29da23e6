#pragma once
#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "packager/cue.hpp"
#include "packager/media/sample.hpp"
#include "packager/media/track_format.hpp"

namespace lookback::server {

/// A new codec configuration of a track. A track's first one announces it.
struct FormatChange {
  packager::TrackFormat format;
  std::uint8_t number = 0;  ///< of the track, among those of its kind
};

/// All that the source brings from now on: a session begins when it knows them, and those that it does not
/// name any more have ended. A source that never says so brings one track of each kind at most.
struct TrackList {
  std::vector<packager::SourceTrack> tracks;
  bool may_grow = false;  ///< connections that come a little later may bring more: a session waits for them
};

/// One thing out of a source, in the order it came.
using IngestEvent = std::variant<FormatChange, packager::SourceSample, TrackList, packager::SourceCue>;

/// About what it takes in memory, in bytes.
std::size_t weight(const IngestEvent& event);

}  // namespace lookback::server
