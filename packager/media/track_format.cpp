#include "packager/media/track_format.hpp"

namespace lookback::packager {

namespace {

/// On the codec's number: three letters of a language follow.
constexpr std::byte has_language{0x80};
constexpr std::size_t language_letters = 3;

}  // namespace

std::vector<std::byte> serialize(const TrackFormat& format) {
  std::vector<std::byte> out;
  out.reserve(1 + language_letters + format.config.size());
  out.push_back(static_cast<std::byte>(format.codec));
  if (format.language.size() == language_letters) {
    out.front() |= has_language;
    for (const char letter : format.language) out.push_back(static_cast<std::byte>(letter));
  }
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
  const auto codec = static_cast<Codec>(bytes.front() & ~has_language);
  const bool named = (bytes.front() & has_language) != std::byte{0};
  bytes = bytes.subspan(1);
  if (!named) return parse_config(codec, bytes);
  if (bytes.size() < language_letters) return Errc::truncated;
  auto format = parse_config(codec, bytes.subspan(language_letters));
  if (format) format->language = as_text(bytes.first(language_letters));
  return format;
}

}  // namespace lookback::packager
