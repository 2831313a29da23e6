#pragma once
#include <cstdint>
#include <vector>

#include "server/pictures/clip_source.hpp"

namespace lookback::server::pictures {

/// All samples of a moment, from the sync sample before its start on: a source for each session, and for each
/// change of its parameters.
struct ClipSamples {
  std::vector<Source> sources;  ///< without wanted instants; each begins with a sync sample
  double frame_us = 0;          ///< how long a picture of the first source is shown, usually
  bool too_much = false;        ///< more than a job may take, so that what is here is not all
};

/// Blocking. Errors: those of `read_clip`.
Result<ClipSamples> read_clip_samples(const MediaAccess& media, const ClipMoment& moment,
                                      const Options& options);

/// The number of the last segment by the start of the moment that starts with a key picture, else of the
/// first one listed. `lead` lists something.
std::uint64_t first_segment_of(const packager::hls::Rendition& lead, const ClipMoment& moment);

}  // namespace lookback::server::pictures
