#include "packager/media/track_format.hpp"

namespace lookback::packager {

std::vector<std::byte> serialize(const TrackFormat& format) {
  std::vector<std::byte> out;
  out.reserve(1 + format.config.size());
  out.push_back(static_cast<std::byte>(format.codec));
  out.insert(out.end(), format.config.begin(), format.config.end());
  return out;
}

Result<TrackFormat> parse_config(Codec codec, ByteSpan config) {
  switch (codec) {
    case Codec::avc:
      return parse_avc_config(config);
    case Codec::aac:
      return parse_aac_config(config);
    case Codec::hevc:
      return parse_hevc_config(config);
    case Codec::av1:
      return parse_av1_config(config);
    case Codec::vp9:
      return parse_vp9_config(config);
    case Codec::opus:
      return parse_opus_config(config);
    case Codec::ac3:
      return parse_ac3_config(config);
    case Codec::eac3:
      return parse_eac3_config(config);
    case Codec::mp3:
      return parse_mp3_config(config);
    case Codec::flac:
      return parse_flac_config(config);
  }
  return Errc::unsupported_codec;
}

Result<TrackFormat> deserialize_format(ByteSpan bytes) {
  if (bytes.empty()) return Errc::truncated;
  return parse_config(static_cast<Codec>(bytes.front()), bytes.subspan(1));
}

}  // namespace lookback::packager
