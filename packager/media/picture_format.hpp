#pragma once
#include <cstdint>

#include "packager/media/track_format.hpp"

/// What the video configuration parsers share.
namespace lookback::packager {

inline constexpr std::uint32_t video_timescale = 90'000;

/// No picture that is packaged is wider or higher than this, in luma samples.
inline constexpr std::uint32_t max_picture_side = 16'384;

/// A video format with its size, display size and range. A sample aspect ratio that takes the width out of a
/// track header's 16 bits is taken as square.
TrackFormat video_format(Codec codec, ByteSpan config, std::uint32_t width, std::uint32_t height,
                         std::uint32_t sar_num, std::uint32_t sar_den, const Colour& colour);

/// Takes over a coded frame rate of `num` frames in `den` seconds. Encoders with a variable frame rate put
/// their clock's resolution there: what no camera does is left unknown.
void set_frame_rate(std::uint64_t num, std::uint64_t den, TrackFormat& format);

}  // namespace lookback::packager
