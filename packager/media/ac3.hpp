#pragma once
#include <cstddef>
#include <vector>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

/// AC-3 and E-AC-3 (ETSI TS 102 366, ATSC A/52) describe themselves in every syncframe: no configuration
/// comes beside the media.
namespace lookback::packager {

/// The size of the AC-3 syncframe whose first 6 bytes or more `header` has; 0: it is none.
std::size_t ac3_frame_bytes(ByteSpan header);

/// An E-AC-3 syncframe's place in its access unit.
struct Eac3Syncframe {
  std::size_t bytes = 0;  ///< 0: it is none
  bool begins = false;  ///< an access unit: the independent substream 0; all others belong to the one before
};

/// By its first 6 bytes or more.
Eac3Syncframe eac3_syncframe(ByteSpan header);

/// The body of the dac3 box that one AC-3 syncframe needs; the frame must fill `frame`.
/// Errors: truncated, bad_ac3_config.
Result<std::vector<std::byte>> ac3_config(ByteSpan frame);

/// The body of the dec3 box for one E-AC-3 access unit: 1536 samples of a programme, with its dependent
/// substreams, which must fill `access_unit`. Errors: truncated, bad_ac3_config, unsupported_codec (a second
/// programme, or frames of fewer than six blocks).
Result<std::vector<std::byte>> eac3_config(ByteSpan access_unit);

/// Whether two dec3 boxes differ in nothing but their data rate, which follows the size of the frames.
bool same_but_rate(ByteSpan dec3, ByteSpan other);

}  // namespace lookback::packager
