#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "packager/hls/presentation.hpp"
#include "server/archive/view_request.hpp"
#include "server/live/stream_settings.hpp"

/// The clips of the `motionclip` process. Clip k of a stream shows the `duration` from k x `interval` on the
/// wall clock (Unix time) on, so their names are known beforehand, and they are the same whoever makes them
/// when: animated clips of these ranges. Nothing of them is stored: they live as long as their media.
namespace lookback::server::pictures {

/// Where complete segments of the video track lie: its first one's start and its last one's end. Empty: there
/// is no video.
std::optional<archive::TimeRange> stored_video(const packager::hls::Presentation& presentation);

/// The newest clip whose media is complete. Pure.
std::optional<archive::TimeRange> latest_motion_clip(const packager::hls::Presentation& presentation,
                                                     const MotionClipSettings& settings);

/// The clips that begin in `range`, the newest `most` of them, by time. Pure; does not depend on how long the
/// media is.
std::vector<archive::TimeRange> motion_clips(const packager::hls::Presentation& presentation,
                                             const MotionClipSettings& settings,
                                             const archive::TimeRange& range, std::size_t most);

}  // namespace lookback::server::pictures
