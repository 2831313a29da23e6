#pragma once
#include <vector>

#include "packager/media/track_format.hpp"

namespace lookback::packager {

/// Whether FFmpeg's muxer writes the right sample entry before it has seen a packet: for H.264, HEVC, AV1,
/// AAC and MP3. It wants packets for AC-3 and E-AC-3, decoded pictures for VP9, and its own layout of what
/// the configurations of Opus and FLAC say.
bool muxer_knows(Codec codec);

/// The sample entry (ISO/IEC 14496-12 8.5.2) of the other codecs: vp09, Opus, ac-3, ec-3, fLaC.
std::vector<std::byte> sample_entry(const TrackFormat& format);

}  // namespace lookback::packager
