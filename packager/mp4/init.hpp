#pragma once
#include "packager/media/track_format.hpp"

namespace lookback::packager {

/// The media initialization section of one CMAF track: `ftyp` + `moov` by FFmpeg's mp4 muxer, byte-stable
/// for equal formats, no edit list, track id 1, timescale of `format`. The sample entry (avc1, hvc1, av01,
/// mp4a) is FFmpeg's, too, or that of `sample_entry`. Costs about 100 us: call once per format and keep the
/// bytes. Errors: muxer_failed.
Result<std::vector<std::byte>> make_init(const TrackFormat& format);

}  // namespace lookback::packager
