#pragma once
#include <cstdint>
#include <vector>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::packager {

/// Turns an ID header ("OpusHead", RFC 7845 5.1; little endian) into the body of a dOps box (big endian).
/// Errors: truncated, bad_opus_config.
Result<std::vector<std::byte>> opus_config(ByteSpan id_header);

/// The body of a dOps box for a source that sends no header: stereo (Enhanced RTMP v2, "Opus").
std::vector<std::byte> default_opus_config();

/// How long a packet lasts, in samples of 48 kHz, by its table of contents (RFC 6716 3.1); 0: malformed.
std::uint32_t opus_packet_ticks(ByteSpan packet);

}  // namespace lookback::packager
