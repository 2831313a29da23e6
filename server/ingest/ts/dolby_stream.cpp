#include "server/ingest/ts/dolby_stream.hpp"

#include "packager/media/ac3.hpp"

namespace lookback::server::ts {
namespace {

constexpr std::size_t header_bytes = 6;

bool is_dolby_sync(ByteSpan bytes) { return bytes[0] == std::byte{0x0b} && bytes[1] == std::byte{0x77}; }

Result<SoundFrame> with_config(Result<std::vector<std::byte>> config, ByteSpan frame) {
  if (!config) return config.error();
  return SoundFrame{.config = std::move(*config), .media = {frame.begin(), frame.end()}};
}

}  // namespace

bool Ac3Stream::is_sync(ByteSpan bytes) const { return is_dolby_sync(bytes); }

std::size_t Ac3Stream::frame_bytes(ByteSpan bytes) const { return packager::ac3_frame_bytes(bytes); }

Result<SoundFrame> Ac3Stream::unpack(ByteSpan frame) {
  return with_config(packager::ac3_config(frame), frame);
}

bool Eac3Stream::is_sync(ByteSpan bytes) const { return is_dolby_sync(bytes); }

std::size_t Eac3Stream::frame_bytes(ByteSpan bytes) const {
  constexpr std::size_t max_more = 8;
  const auto first = packager::eac3_syncframe(bytes);
  if (!first.begins) return 0;
  auto size = first.bytes;
  for (std::size_t i = 0; i < max_more && size < bytes.size(); ++i) {
    const auto rest = bytes.subspan(size);
    if (rest.size() < header_bytes) return bytes.size() + 1;  // as soon as its header has come
    const auto next = packager::eac3_syncframe(rest);
    if (next.bytes == 0 || next.begins) break;
    size += next.bytes;
  }
  return size;
}

Result<SoundFrame> Eac3Stream::unpack(ByteSpan frame) {
  return with_config(packager::eac3_config(frame), frame);
}

bool Eac3Stream::same(ByteSpan config, ByteSpan other) const {
  return packager::same_but_rate(config, other);
}

}  // namespace lookback::server::ts
