#pragma once
#include <cstdint>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::packager {

/// The STREAMINFO block (34 bytes) of a FLAC header: "fLaC" and metadata blocks of which it is the first
/// (RFC 9639 8.2), or the block alone. Errors: truncated, bad_flac_config.
Result<ByteSpan> flac_streaminfo(ByteSpan header);

/// How many samples a frame holds, by its header (RFC 9639 9.1); 0: malformed.
std::uint32_t flac_frame_ticks(ByteSpan frame);

}  // namespace lookback::packager
