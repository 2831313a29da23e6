#include "server/ingest/ts/opus_stream.hpp"

#include <array>
#include <optional>

#include "packager/media/byte_cursor.hpp"

namespace lookback::server::ts {
namespace {

constexpr unsigned max_channels = 8, dual_mono = 0;
constexpr std::size_t shortest_unit = 4;  // control header, size and one byte of a packet

/// RFC 7845 5.1.1.2, by channels: streams, those of them that are coupled, and where each channel comes from.
struct Mapping {
  unsigned streams, coupled;
  std::array<unsigned, max_channels> channels;
};
constexpr std::array<Mapping, max_channels> mappings{{{1, 0, {0}},
                                                      {1, 1, {0, 1}},
                                                      {2, 1, {0, 2, 1}},
                                                      {2, 2, {0, 1, 2, 3}},
                                                      {3, 2, {0, 4, 1, 2, 3}},
                                                      {4, 2, {0, 4, 1, 2, 3, 5}},
                                                      {4, 3, {0, 4, 1, 2, 3, 5, 6}},
                                                      {5, 3, {0, 6, 1, 2, 3, 4, 5, 7}}}};

/// Body of dOps (Opus in ISOBMFF 4.3.2): no pre-skip, as the source tells none; 48,000 Hz.
std::vector<std::byte> opus_box(unsigned channel_config) {
  constexpr unsigned plain = 0, surround = 1, unspecified = 255;  // channel mapping families
  const auto channels = channel_config == dual_mono ? 2 : channel_config;
  const auto family = channel_config == dual_mono ? unspecified : channels > 2 ? surround : plain;
  std::vector<std::byte> box;
  for (const auto value : {0u, channels, 0u, 0u, 0u, 0u, 0xbbu, 0x80u, 0u, 0u, family}) {
    box.push_back(static_cast<std::byte>(value));
  }
  if (family == plain) return box;
  const auto& mapping = mappings[channels - 1];
  box.push_back(static_cast<std::byte>(mapping.streams));
  box.push_back(static_cast<std::byte>(mapping.coupled));
  for (unsigned i = 0; i < channels; ++i) box.push_back(static_cast<std::byte>(mapping.channels[i]));
  return box;
}

struct ControlHeader {
  std::size_t bytes = 0, packet_bytes = 0;
};

/// Empty: it goes on behind the end of `bytes`.
std::optional<ControlHeader> parse_control_header(ByteSpan bytes) {
  constexpr unsigned start_trim = 0x10, end_trim = 0x08, extension = 0x04;
  packager::ByteCursor in(bytes);
  const auto prefix = in.u16();
  ControlHeader header;
  for (std::optional<unsigned> more = 255; more == 255u;) {
    more = in.u8();
    if (!more) return std::nullopt;
    header.packet_bytes += *more;
  }
  if ((*prefix & start_trim) && !in.u16()) return std::nullopt;
  if ((*prefix & end_trim) && !in.u16()) return std::nullopt;
  if (*prefix & extension) {
    const auto length = in.u8();
    if (!length || !in.take(*length)) return std::nullopt;
  }
  header.bytes = bytes.size() - in.left();
  return header;
}

}  // namespace

std::unique_ptr<OpusStream> OpusStream::make(std::uint8_t channel_config, Counts& counts) {
  if (channel_config > max_channels) return nullptr;
  return std::unique_ptr<OpusStream>(new OpusStream(opus_box(channel_config), counts));
}

OpusStream::OpusStream(std::vector<std::byte> config, Counts& counts)
    : SoundStream(packager::Codec::opus, shortest_unit, counts), config_(std::move(config)) {}

bool OpusStream::is_sync(ByteSpan bytes) const {
  return bytes[0] == std::byte{0x7f} && (bytes[1] & std::byte{0xe0}) == std::byte{0xe0};
}

std::size_t OpusStream::frame_bytes(ByteSpan bytes) const {
  constexpr std::size_t max_packet_bytes = 61'440;  // 48 frames of 1,275 bytes and their lengths
  const auto header = parse_control_header(bytes.first(std::min(bytes.size(), max_packet_bytes)));
  if (!header) return bytes.size() < max_packet_bytes ? bytes.size() + 1 : 0;
  if (header->packet_bytes == 0 || header->packet_bytes > max_packet_bytes) return 0;
  return header->bytes + header->packet_bytes;
}

Result<SoundFrame> OpusStream::unpack(ByteSpan frame) {
  const auto packet = frame.subspan(parse_control_header(frame).value().bytes);
  return SoundFrame{.config = config_, .media = {packet.begin(), packet.end()}};
}

}  // namespace lookback::server::ts
