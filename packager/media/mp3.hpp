#pragma once
#include <vector>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::packager {

/// The configuration of MPEG audio layer III: those fields of a frame's header that stay the same over a
/// stream, 4 bytes. The frame must fill `frame`.
/// Errors: truncated, bad_mp3_frame, unsupported_codec (layers I and II; MPEG-2.5).
Result<std::vector<std::byte>> mp3_config(ByteSpan frame);

}  // namespace lookback::packager
