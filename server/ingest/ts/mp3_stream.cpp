#include "server/ingest/ts/mp3_stream.hpp"

#include "packager/media/mp3.hpp"

namespace lookback::server::ts {

bool Mp3Stream::is_sync(ByteSpan bytes) const {
  return bytes[0] == std::byte{0xff} && (bytes[1] & std::byte{0xe0}) == std::byte{0xe0};
}

std::size_t Mp3Stream::frame_bytes(ByteSpan bytes) const { return packager::mpeg_audio_frame_bytes(bytes); }

Result<SoundFrame> Mp3Stream::unpack(ByteSpan frame) {
  auto config = packager::mp3_config(frame);
  if (!config) return config.error();
  return SoundFrame{.config = std::move(*config), .media = {frame.begin(), frame.end()}};
}

}  // namespace lookback::server::ts
