#include "server/ingest/ts/latm_stream.hpp"

#include "packager/media/bit_reader.hpp"

namespace lookback::server::ts {
namespace {

using packager::BitReader;

constexpr std::size_t sync_bytes = 3;  // syncword and audioMuxLengthBytes
constexpr std::uint32_t aac_lc = 2, sbr = 5, parametric_stereo = 29, escape = 31;
constexpr std::uint32_t max_config_bits = 64 * 8;

/// The bits in [from, to) of `bytes`, from a byte's start on.
std::vector<std::byte> bits_of(ByteSpan bytes, std::size_t from, std::size_t to) {
  BitReader in(bytes);
  in.skip(from);
  std::vector<std::byte> out;
  out.reserve((to - from + 7) / 8);
  for (auto left = to - from; left > 0;) {
    const auto count = static_cast<unsigned>(std::min<std::size_t>(left, 8));
    out.push_back(static_cast<std::byte>(in.bits(count) << (8 - count)));
    left -= count;
  }
  return out;
}

std::uint32_t latm_value(BitReader& in) {
  const auto more_bytes = in.bits(2);
  return in.bits(8 * (more_bytes + 1));
}

std::uint32_t object_type(BitReader& in) {
  const auto type = in.bits(5);
  return type == escape ? 32 + in.bits(6) : type;
}

void skip_sample_rate(BitReader& in) {
  if (in.bits(4) == 15) in.bits(24);
}

/// AudioSpecificConfig() of AAC-LC with or without SBR: in the first version of the multiplex nothing but
/// reading it tells where it ends. False: another object type, or channels told by a PCE.
bool skip_audio_config(BitReader& in) {
  auto type = object_type(in);
  skip_sample_rate(in);
  const auto channels = in.bits(4);
  if (type == sbr || type == parametric_stereo) {
    skip_sample_rate(in);
    type = object_type(in);
  }
  in.flag();                   // frameLengthFlag
  if (in.flag()) in.bits(14);  // coreCoderDelay
  if (in.flag()) in.flag();    // extensionFlag3
  return type == aac_lc && channels != 0;
}

void skip_other_data(BitReader& in, bool second_version) {
  if (!in.flag()) return;
  if (second_version) {
    latm_value(in);
    return;
  }
  while (in.ok() && in.flag()) in.bits(8);
  in.bits(8);
}

/// StreamMuxConfig() (table 1.42): its AudioSpecificConfig. Errors: truncated, unsupported_codec.
Result<std::vector<std::byte>> read_mux_config(BitReader& in, ByteSpan bytes) {
  const bool second_version = in.flag();
  if (second_version && in.flag()) return packager::Errc::unsupported_codec;  // audioMuxVersionA
  if (second_version) latm_value(in);                                         // taraBufferFullness
  const bool same_framing = in.flag();
  const auto more = in.bits(6 + 4 + 3);  // subframes, programmes and layers beyond the first
  if (!same_framing || more != 0) return packager::Errc::unsupported_codec;

  auto end = second_version ? latm_value(in) : 0;
  const auto start = in.position();
  if (second_version) {
    if (end > max_config_bits) return packager::Errc::unsupported_codec;
    in.skip(end);
  } else if (!skip_audio_config(in)) {
    return packager::Errc::unsupported_codec;
  }
  const auto stop = in.position();
  if (in.bits(3) != 0) return packager::Errc::unsupported_codec;  // frameLengthType: a length in each frame
  in.bits(8);                                                     // latmBufferFullness
  skip_other_data(in, second_version);
  if (in.flag()) in.bits(8);  // crcCheckSum
  if (!in.ok()) return packager::Errc::truncated;
  return bits_of(bytes, start, stop);
}

}  // namespace

bool LatmStream::is_sync(ByteSpan bytes) const {
  return bytes[0] == std::byte{0x56} && (bytes[1] & std::byte{0xe0}) == std::byte{0xe0};
}

std::size_t LatmStream::frame_bytes(ByteSpan bytes) const {
  const auto length =
      (std::to_integer<std::size_t>(bytes[1]) & 0x1f) << 8 | std::to_integer<std::size_t>(bytes[2]);
  return length == 0 ? 0 : sync_bytes + length;
}

Result<SoundFrame> LatmStream::unpack(ByteSpan frame) {
  const auto element = frame.subspan(sync_bytes);
  BitReader in(element);
  if (const bool same_config = in.flag(); !same_config) {
    auto config = read_mux_config(in, element);
    if (!config) return config.error();
    config_ = std::move(*config);
  }
  if (config_.empty()) return packager::Errc::bad_aac_config;
  std::size_t size = 0;
  for (std::uint32_t more = 255; more == 255;) {  // PayloadLengthInfo()
    more = in.bits(8);
    size += more;
  }
  if (!in.ok() || size == 0 || size * 8 > in.left()) return packager::Errc::truncated;
  return SoundFrame{.config = config_, .media = bits_of(element, in.position(), in.position() + size * 8)};
}

}  // namespace lookback::server::ts
