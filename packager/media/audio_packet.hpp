#pragma once
#include <cstdint>

#include "packager/media/track_format.hpp"

namespace lookback::packager {

/// How long an audio packet lasts, in ticks of the track: what Opus and FLAC packets say of themselves, and
/// `samples_per_frame` for the codecs whose frames are all alike. 0: malformed.
std::uint32_t packet_ticks(const TrackFormat& format, ByteSpan packet);

/// The format that an audio frame which describes itself needs (AC-3, E-AC-3, MP3): `current` when that is
/// still right. Errors: those of ac3_config, eac3_config and mp3_config; unsupported_codec for other codecs.
Result<TrackFormat> format_of_frame(Codec codec, ByteSpan frame, const TrackFormat* current);

}  // namespace lookback::packager
