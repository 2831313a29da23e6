#include "packager/media/track_format.hpp"

namespace lookback::packager {

std::vector<std::byte> serialize(const TrackFormat& format) {
  std::vector<std::byte> out;
  out.reserve(1 + format.config.size());
  out.push_back(static_cast<std::byte>(format.codec));
  out.insert(out.end(), format.config.begin(), format.config.end());
  return out;
}

Result<TrackFormat> deserialize_format(ByteSpan bytes) {
  if (bytes.empty()) return Errc::truncated;
  const auto config = bytes.subspan(1);
  switch (static_cast<Codec>(bytes.front())) {
    case Codec::avc:
      return parse_avc_config(config);
    case Codec::aac:
      return parse_aac_config(config);
  }
  return Errc::unsupported_codec;
}

}  // namespace lookback::packager
