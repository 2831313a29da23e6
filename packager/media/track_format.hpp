#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "packager/errc.hpp"
#include "packager/media/sample.hpp"
#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::packager {

enum class Codec : std::uint8_t { avc = 1, aac = 2 };
enum class VideoRange : std::uint8_t { sdr, hlg, pq };

/// What a track's bytes are: everything that the init segment and the multivariant playlist need,
/// read from the codec configuration itself. Immutable value.
struct TrackFormat {
  MediaKind kind = MediaKind::video;
  Codec codec = Codec::avc;
  std::vector<std::byte> config;  ///< AVCDecoderConfigurationRecord, or AudioSpecificConfig
  std::uint32_t timescale = 0;    ///< 90,000 for video; the sample rate for audio
  std::string codecs;             ///< RFC 6381: "avc1.64001f", "mp4a.40.2"

  // video
  std::uint32_t coded_width = 0, coded_height = 0;      ///< luma samples after cropping
  std::uint32_t display_width = 0, display_height = 0;  ///< pixels after the sample aspect ratio
  std::uint32_t sar_num = 1, sar_den = 1;
  std::uint32_t frame_rate_num = 0,
                frame_rate_den = 0;  ///< of the VUI when it says fixed or plausible; 0: unknown
  VideoRange range = VideoRange::sdr;
  std::uint8_t nal_length_size = 4;

  // audio
  std::uint32_t sample_rate = 0;  ///< of the output (with SBR: the doubled rate)
  std::uint32_t channels = 0;
  std::uint32_t samples_per_frame = 0;  ///< ticks per AAC frame at `timescale`

  bool operator==(const TrackFormat&) const = default;
};

/// Reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1) and its first SPS (ITU-T H.264 7.3.2.1).
/// Errors: truncated, bad_avc_config, bad_sps, picture_too_large.
Result<TrackFormat> parse_avc_config(ByteSpan record);

/// Reads an AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1): AAC-LC, HE-AAC v1 and v2 (explicit signalling).
/// Errors: truncated, bad_aac_config, unsupported_codec.
Result<TrackFormat> parse_aac_config(ByteSpan config);

/// For the store's InitRecord::format: codec and configuration, from which all else is read again.
std::vector<std::byte> serialize(const TrackFormat& format);
/// Errors: truncated, unsupported_codec, and those of the parsers.
Result<TrackFormat> deserialize_format(ByteSpan bytes);

}  // namespace lookback::packager
