#include "packager/media/mp3.hpp"

#include <array>
#include <cstdint>

#include "packager/media/audio_format.hpp"
#include "packager/media/bit_reader.hpp"

namespace lookback::packager {
namespace {

constexpr std::size_t header_bytes = 4;
constexpr std::uint32_t mpeg_1 = 3, reserved_version = 1, mpeg_2_5 = 0;
constexpr std::uint32_t layer_1 = 3, layer_2 = 2, layer_3 = 1, reserved_layer = 0;
constexpr std::uint32_t mono = 3, reserved_rate = 3, free_format = 0, reserved_bit_rate = 15;

/// ISO/IEC 11172-3 2.4.2.3 and 13818-3 2.4.2.3, in kbit/s.
using BitRates = std::array<std::uint32_t, 15>;
constexpr BitRates mpeg_1_layer_1{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448};
constexpr BitRates mpeg_1_layer_2{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384};
constexpr BitRates mpeg_1_layer_3{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
constexpr BitRates mpeg_2_layer_1{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256};
constexpr BitRates mpeg_2_layers_2_and_3{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
constexpr std::array<std::uint32_t, 3> mpeg_1_frequencies{44'100, 48'000, 32'000};

struct Header {
  std::uint32_t version = 0, layer = 0, bit_rate = 0, frequency = 0, padding = 0, mode = 0;

  bool is_mpeg_1() const { return version == mpeg_1; }
  /// MPEG-2 halves the rates, MPEG-2.5 halves them again.
  std::uint32_t sample_rate() const {
    return mpeg_1_frequencies[frequency] >> (is_mpeg_1() ? 0 : version == mpeg_2_5 ? 2 : 1);
  }
  std::uint32_t samples() const {
    if (layer == layer_1) return 384;
    return is_mpeg_1() || layer == layer_2 ? 1'152 : 576;
  }
  const BitRates& bit_rates() const {
    if (layer == layer_1) return is_mpeg_1() ? mpeg_1_layer_1 : mpeg_2_layer_1;
    if (!is_mpeg_1()) return mpeg_2_layers_2_and_3;
    return layer == layer_2 ? mpeg_1_layer_2 : mpeg_1_layer_3;
  }
  /// 0: free format, or no rate.
  std::size_t frame_bytes() const {
    if (bit_rate == free_format || bit_rate == reserved_bit_rate) return 0;
    const std::size_t slot_bytes = layer == layer_1 ? 4 : 1;
    const auto slots =
        std::size_t{samples()} / 8 / slot_bytes * bit_rates()[bit_rate] * 1'000 / sample_rate();
    return (slots + padding) * slot_bytes;
  }
};

/// Of any layer. Errors: truncated, bad_mp3_frame.
Result<Header> read_any_header(ByteSpan bytes) {
  if (bytes.size() < header_bytes) return Errc::truncated;
  BitReader in(bytes);
  const auto sync = in.bits(11);
  Header header;
  header.version = in.bits(2);
  header.layer = in.bits(2);
  in.flag();  // protection
  header.bit_rate = in.bits(4);
  header.frequency = in.bits(2);
  header.padding = in.bits(1);
  in.flag();  // private
  header.mode = in.bits(2);
  if (sync != 0x7FF || header.version == reserved_version || header.layer == reserved_layer ||
      header.frequency == reserved_rate) {
    return Errc::bad_mp3_frame;
  }
  return header;
}

Result<Header> read_header(ByteSpan bytes) {
  const auto header = read_any_header(bytes);
  if (header && (header->layer != layer_3 || header->version == mpeg_2_5)) return Errc::unsupported_codec;
  return header;
}

}  // namespace

std::size_t mpeg_audio_frame_bytes(ByteSpan bytes) {
  const auto header = read_any_header(bytes);
  return header ? header->frame_bytes() : 0;
}

Result<std::vector<std::byte>> mp3_config(ByteSpan frame) {
  const auto header = read_header(frame);
  if (!header) return header.error();
  if (header->frame_bytes() == 0 || header->frame_bytes() != frame.size()) return Errc::bad_mp3_frame;
  // Sync, version and layer; frequency; mode, where the three kinds of two channels are one.
  constexpr std::byte two_channels{0};
  const auto mode = header->mode == mono ? std::byte{0xC0} : two_channels;
  return std::vector<std::byte>{frame[0], frame[1] & std::byte{0xFE}, frame[2] & std::byte{0x0C}, mode};
}

Result<TrackFormat> parse_mp3_config(ByteSpan config) {
  const auto header = read_header(config);
  if (!header) return header.error();
  if (config.size() != header_bytes) return Errc::bad_mp3_frame;
  auto format = audio_format(Codec::mp3, config, header->sample_rate(), header->mode == mono ? 1 : 2,
                             header->samples());
  // The object type of the esds (ISO/IEC 14496-1 table 5): ISO/IEC 11172-3 or 13818-3.
  format.codecs = header->is_mpeg_1() ? "mp4a.6B" : "mp4a.69";
  return format;
}

}  // namespace lookback::packager
