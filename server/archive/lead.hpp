#pragma once
#include <algorithm>

#include "packager/hls/presentation.hpp"

namespace lookback::server::archive {

/// The track on which times are looked up for all: the first video track whose newest segment has media, else
/// the first video track, without one the first track. A presentation has at least one.
inline const packager::hls::Rendition& lead_of(const packager::hls::Presentation& presentation) {
  const auto& all = presentation.renditions();
  const auto is_video = [](const auto& rendition) { return rendition->track().starts_with('v'); };
  const auto goes_on = [&](const auto& rendition) {
    const auto last = is_video(rendition) ? rendition->last_msn() : std::nullopt;
    const auto time = last ? rendition->time_of(*last) : std::nullopt;
    return time && !time->gap;
  };
  auto video = std::find_if(all.begin(), all.end(), goes_on);
  if (video == all.end()) video = std::find_if(all.begin(), all.end(), is_video);
  return video == all.end() ? *all.front() : **video;
}

}  // namespace lookback::server::archive
