#pragma once
#include <cstddef>
#include <optional>
#include <vector>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

/// AV1's open bitstream units as they lie in a sample (AV1 in ISOBMFF 2.4). Pure functions.
namespace lookback::packager {

struct Obu {
  unsigned type = 0;
  ByteSpan payload;
  std::size_t size_bytes = 0;  ///< with header and length
};

/// OBU types (AV1 6.2.2).
inline constexpr unsigned obu_sequence_header = 1, obu_temporal_delimiter = 2;

/// The OBU at the front. One without a length reaches to the end. Empty: malformed or cut short.
std::optional<Obu> front_obu(ByteSpan bytes);

/// Whether OBUs fill the bytes exactly.
bool obus_fit(ByteSpan bytes);

/// Whether an AV1CodecConfigurationRecord leaves its sequence header to the key pictures, as Android's muxer
/// does.
bool lacks_sequence_header(ByteSpan record);

/// Such a record with the sequence header of a key picture behind it. Errors: truncated, bad_av1_config.
Result<std::vector<std::byte>> av1_config(ByteSpan record, ByteSpan key_picture);

/// How many bytes at the front of a temporal unit are temporal delimiters: samples do not carry them (2.4).
std::size_t temporal_delimiter_bytes(ByteSpan temporal_unit);

}  // namespace lookback::packager
