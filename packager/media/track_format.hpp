#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "packager/errc.hpp"
#include "packager/media/colour.hpp"
#include "packager/media/sample.hpp"
#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::packager {

/// The numbers are part of what `serialize` writes.
enum class Codec : std::uint8_t {
  avc = 1,
  aac = 2,
  hevc = 3,
  av1 = 4,
  vp9 = 5,
  opus = 6,
  ac3 = 7,
  eac3 = 8,
  mp3 = 9,
  flac = 10,
};

/// What a track's bytes are: everything that the init segment and the multivariant playlist need,
/// read from the codec configuration itself. Immutable value.
struct TrackFormat {
  MediaKind kind = MediaKind::video;
  Codec codec = Codec::avc;
  /// As the parser of the codec takes it. Mostly the body of the sample entry's own box: avcC, hvcC, av1C,
  /// dOps, dac3, dec3; an AudioSpecificConfig; VP9: the record of vpcC with width and height behind it; MP3:
  /// the fields of a frame header that stay; FLAC: a STREAMINFO block.
  std::vector<std::byte> config;
  std::uint32_t timescale = 0;  ///< 90,000 for video; the sample rate for audio
  std::string codecs;           ///< RFC 6381: "avc1.64001f", "mp4a.40.2"

  std::string language;  ///< ISO 639-2, three lower-case letters; empty: not told

  // video
  std::uint32_t coded_width = 0, coded_height = 0;      ///< luma samples after cropping
  std::uint32_t display_width = 0, display_height = 0;  ///< pixels after the sample aspect ratio
  std::uint32_t sar_num = 1, sar_den = 1;
  std::uint32_t frame_rate_num = 0,
                frame_rate_den = 0;  ///< of the bit stream when it says a plausible one; 0: unknown
  Colour colour;
  VideoRange range = VideoRange::sdr;
  std::uint8_t nal_length_size = 4;  ///< H.264 and HEVC

  // audio
  std::uint32_t sample_rate = 0;  ///< of the output (with SBR: the doubled rate)
  std::uint32_t channels = 0;
  /// Ticks of a packet at `timescale`. Opus and FLAC may vary: `packet_ticks` tells, and this is the usual
  /// one.
  std::uint32_t samples_per_frame = 0;

  bool operator==(const TrackFormat&) const = default;
};

/// Reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15 5.3.3.1) and its first SPS (ITU-T H.264 7.3.2.1).
/// Errors: truncated, bad_avc_config, bad_sps, picture_too_large.
Result<TrackFormat> parse_avc_config(ByteSpan record);

/// Reads an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15 8.3.3.1) and its SPS (ITU-T H.265 7.3.2.2). It
/// must have VPS, SPS and PPS, as `hvc1` wants. Errors: truncated, bad_hevc_config, bad_sps,
/// picture_too_large.
Result<TrackFormat> parse_hevc_config(ByteSpan record);

/// Reads an AV1CodecConfigurationRecord (AV1 in ISOBMFF 2.3) and its sequence header OBU (AV1 5.5).
/// Errors: truncated, bad_av1_config, picture_too_large.
Result<TrackFormat> parse_av1_config(ByteSpan record);

/// Reads what `vp9_config` makes. Errors: truncated, bad_vp9_config, picture_too_large.
Result<TrackFormat> parse_vp9_config(ByteSpan config);

/// Reads an AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1): AAC-LC, HE-AAC v1 and v2 (explicit signalling).
/// Errors: truncated, bad_aac_config, unsupported_codec.
Result<TrackFormat> parse_aac_config(ByteSpan config);

/// Reads the body of a dOps box (Opus in ISOBMFF 4.3.2). Errors: truncated, bad_opus_config.
Result<TrackFormat> parse_opus_config(ByteSpan box);

/// Reads the body of a dac3 box (ETSI TS 102 366 F.4). Errors: truncated, bad_ac3_config.
Result<TrackFormat> parse_ac3_config(ByteSpan box);

/// Reads the body of a dec3 box with one programme (ETSI TS 102 366 F.6). Errors: truncated, bad_ac3_config,
/// unsupported_codec (more than one independent substream).
Result<TrackFormat> parse_eac3_config(ByteSpan box);

/// Reads what `mp3_config` makes. Errors: truncated, bad_mp3_frame, unsupported_codec (layers I and II;
/// MPEG-2.5).
Result<TrackFormat> parse_mp3_config(ByteSpan config);

/// Reads a STREAMINFO block (RFC 9639 8.2), 34 bytes. Errors: truncated, bad_flac_config.
Result<TrackFormat> parse_flac_config(ByteSpan streaminfo);

/// The parser of that codec. Errors: its own, and unsupported_codec for a number without a name.
Result<TrackFormat> parse_config(Codec codec, ByteSpan config);

/// For the store's InitRecord::format: codec, language and configuration, from which all else is read again.
std::vector<std::byte> serialize(const TrackFormat& format);
/// Errors: truncated, unsupported_codec, and those of the parsers.
Result<TrackFormat> deserialize_format(ByteSpan bytes);

}  // namespace lookback::packager
