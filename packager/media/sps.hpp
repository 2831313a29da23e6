#pragma once
#include <cstdint>

#include "packager/errc.hpp"
#include "packager/media/colour.hpp"
#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::packager {

/// What a sequence parameter set says about the picture (ITU-T H.264 7.4.2.1.1 and E.2.1, H.265 7.4.3.2 and
/// E.3.1).
struct Sps {
  std::uint32_t width = 0, height = 0;  ///< luma samples of a frame, after cropping
  std::uint32_t sar_num = 1, sar_den = 1;
  /// 0: no timing. A tick lasts one field in H.264, one picture in H.265.
  std::uint32_t num_units_in_tick = 0, time_scale = 0;
  Colour colour;
  /// H.265 alone: its id, chroma_format_idc and the bits of a sample.
  std::uint32_t id = 0, chroma_format = 1, luma_depth = 8, chroma_depth = 8;
};

/// Reads one H.264 SPS NAL unit, header included. Errors: bad_sps, picture_too_large.
Result<Sps> parse_sps(ByteSpan nal_unit);

/// Reads one H.265 SPS NAL unit of the base layer, header included. Errors: bad_sps, picture_too_large.
Result<Sps> parse_hevc_sps(ByteSpan nal_unit);

}  // namespace lookback::packager
