#include "server/ingest/ts/aac_stream.hpp"

namespace lookback::server::ts {
namespace {

constexpr std::size_t min_header_bytes = 7, crc_bytes = 2;
constexpr unsigned sample_rates = 13;  // the indices above are reserved

unsigned u8(ByteSpan bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }

bool is_adts_sync(ByteSpan bytes) { return u8(bytes, 0) == 0xff && (u8(bytes, 1) & 0xf6) == 0xf0; }

}  // namespace

std::optional<AdtsHeader> parse_adts(ByteSpan bytes) {
  if (!is_adts_sync(bytes)) return std::nullopt;
  AdtsHeader header;
  header.header_bytes = min_header_bytes + (u8(bytes, 1) & 1 ? 0 : crc_bytes);  // protection_absent
  const auto object_type = (u8(bytes, 2) >> 6) + 1;
  const auto rate_index = u8(bytes, 2) >> 2 & 0x0f;
  const auto channels = (u8(bytes, 2) & 1) << 2 | u8(bytes, 3) >> 6;
  header.frame_bytes = (u8(bytes, 3) & 3) << 11 | u8(bytes, 4) << 3 | u8(bytes, 5) >> 5;
  const auto more_blocks = u8(bytes, 6) & 3;
  if (rate_index >= sample_rates || channels == 0 || more_blocks != 0) return std::nullopt;
  if (header.frame_bytes <= header.header_bytes) return std::nullopt;
  header.config = {static_cast<std::byte>(object_type << 3 | rate_index >> 1),
                   static_cast<std::byte>((rate_index & 1) << 7 | channels << 3)};
  return header;
}

bool AacStream::is_sync(ByteSpan bytes) const { return is_adts_sync(bytes); }

std::size_t AacStream::frame_bytes(ByteSpan bytes) const {
  const auto header = parse_adts(bytes);
  return header ? header->frame_bytes : 0;
}

Result<SoundFrame> AacStream::unpack(ByteSpan frame) {
  const auto header = parse_adts(frame).value();  // frame_bytes has read it
  const auto media = frame.subspan(header.header_bytes);
  return SoundFrame{.config = {header.config.begin(), header.config.end()},
                    .media = {media.begin(), media.end()}};
}

}  // namespace lookback::server::ts
