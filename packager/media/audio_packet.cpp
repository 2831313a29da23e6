#include "packager/media/audio_packet.hpp"

#include <algorithm>

#include "packager/media/ac3.hpp"
#include "packager/media/flac.hpp"
#include "packager/media/mp3.hpp"
#include "packager/media/opus.hpp"

namespace lookback::packager {
namespace {

Result<std::vector<std::byte>> config_of_frame(Codec codec, ByteSpan frame) {
  switch (codec) {
    case Codec::ac3:
      return ac3_config(frame);
    case Codec::eac3:
      return eac3_config(frame);
    case Codec::mp3:
      return mp3_config(frame);
    default:
      return Errc::unsupported_codec;
  }
}

}  // namespace

std::uint32_t packet_ticks(const TrackFormat& format, ByteSpan packet) {
  if (format.codec == Codec::opus) return opus_packet_ticks(packet);
  if (format.codec == Codec::flac) return flac_frame_ticks(packet);
  return format.samples_per_frame;
}

Result<TrackFormat> format_of_frame(Codec codec, ByteSpan frame, const TrackFormat* current) {
  const auto config = config_of_frame(codec, frame);
  if (!config) return config.error();
  const bool known = current != nullptr && current->codec == codec;
  const bool same = known && (codec == Codec::eac3 ? same_but_rate(*config, current->config)
                                                   : std::ranges::equal(*config, current->config));
  if (same) return *current;
  return parse_config(codec, *config);
}

}  // namespace lookback::packager
