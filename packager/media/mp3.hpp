#pragma once
#include <cstddef>
#include <vector>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::packager {

/// The size of a frame of MPEG-1, MPEG-2 or MPEG-2.5 audio of any layer, of which `header` has the first 4
/// bytes; 0: it is none, or one of free format, which tells no size.
std::size_t mpeg_audio_frame_bytes(ByteSpan header);

/// The configuration of MPEG audio layer III: those fields of a frame's header that stay the same over a
/// stream, 4 bytes. The frame must fill `frame`.
/// Errors: truncated, bad_mp3_frame, unsupported_codec (layers I and II; MPEG-2.5).
Result<std::vector<std::byte>> mp3_config(ByteSpan frame);

}  // namespace lookback::packager
