#pragma once
#include <cstdint>

#include "packager/errc.hpp"
#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::packager {

/// What a sequence parameter set says about the picture (ITU-T H.264 7.4.2.1.1 and E.2.1).
struct Sps {
  std::uint32_t width = 0, height = 0;  ///< luma samples of a frame, after cropping
  std::uint32_t sar_num = 1, sar_den = 1;
  std::uint32_t num_units_in_tick = 0, time_scale = 0;          ///< 0: no timing; a tick lasts one field
  std::uint8_t colour_primaries = 2, transfer = 2, matrix = 2;  ///< 2: unspecified
  bool full_range = false;
};

/// No picture that is packaged is wider or higher than this, in luma samples.
inline constexpr std::uint32_t max_picture_side = 16'384;

/// Reads one SPS NAL unit, header included. Errors: bad_sps, picture_too_large.
Result<Sps> parse_sps(ByteSpan nal_unit);

/// The first SPS of an AVCDecoderConfigurationRecord. Errors: those of parse_avc_config.
Result<Sps> first_sps(ByteSpan avc_config);

}  // namespace lookback::packager
