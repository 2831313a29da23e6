#include "packager/media/opus.hpp"

#include <algorithm>
#include <array>

#include "packager/media/audio_format.hpp"

namespace lookback::packager {
namespace {

constexpr std::uint32_t opus_rate = 48'000;      // whatever the input's was (RFC 7845 4)
constexpr std::uint32_t usual_packet = 960;      // 20 ms
constexpr std::uint32_t longest_packet = 5'760;  // 120 ms
constexpr std::size_t fixed_bytes = 11;          // of both records, up to the mapping table
constexpr std::string_view magic = "OpusHead";

unsigned byte(ByteSpan bytes, std::size_t at) { return std::to_integer<unsigned>(bytes[at]); }

/// The table of a family other than 0: streams, coupled streams, a byte for each channel.
bool mapping_fits(ByteSpan table, unsigned channels) {
  if (table.size() != 2 + std::size_t{channels}) return false;
  const auto streams = byte(table, 0), coupled = byte(table, 1);
  if (streams == 0 || coupled > streams || streams + coupled > 255) return false;
  constexpr unsigned silent = 255;
  return std::all_of(table.begin() + 2, table.end(), [&](std::byte index) {
    const auto at = std::to_integer<unsigned>(index);
    return at == silent || at < streams + coupled;
  });
}

}  // namespace

Result<std::vector<std::byte>> opus_config(ByteSpan id_header) {
  if (id_header.size() < magic.size() + fixed_bytes) return Errc::truncated;
  if (as_text(id_header.first(magic.size())) != magic) return Errc::bad_opus_config;
  const auto in = id_header.subspan(magic.size());
  if (byte(in, 0) >> 4 != 0) return Errc::bad_opus_config;  // versions 0 to 15 are compatible
  const bool mapped = byte(in, 10) != 0;
  const std::size_t size = fixed_bytes + (mapped ? 2 + byte(in, 1) : 0);
  if (in.size() < size) return Errc::truncated;
  std::vector<std::byte> box(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(size));
  box[0] = std::byte{0};                            // the box's own version
  std::reverse(box.begin() + 2, box.begin() + 4);   // pre-skip
  std::reverse(box.begin() + 4, box.begin() + 8);   // input sample rate
  std::reverse(box.begin() + 8, box.begin() + 10);  // output gain
  return box;
}

std::vector<std::byte> default_opus_config() {
  constexpr std::array<unsigned char, fixed_bytes> stereo{0,    2,    0, 0, 0, 0,
                                                          0xBB, 0x80, 0, 0, 0};  // 48,000 Hz
  const auto bytes = std::as_bytes(std::span(stereo));
  return {bytes.begin(), bytes.end()};
}

Result<TrackFormat> parse_opus_config(ByteSpan box) {
  if (box.size() < fixed_bytes) return Errc::truncated;
  const auto channels = byte(box, 1), family = byte(box, 10);
  const bool fits = family == 0 ? channels <= 2 && box.size() == fixed_bytes
                                : mapping_fits(box.subspan(fixed_bytes), channels);
  if (byte(box, 0) != 0 || channels == 0 || !fits) return Errc::bad_opus_config;
  auto format = audio_format(Codec::opus, box, opus_rate, channels, usual_packet);
  format.codecs = "Opus";
  return format;
}

std::uint32_t opus_packet_ticks(ByteSpan packet) {
  if (packet.empty()) return 0;
  const auto contents = byte(packet, 0);
  const auto config = contents >> 3, count_code = contents & 3;
  constexpr std::array<std::uint32_t, 4> silk{480, 960, 1'920, 2'880}, celt{120, 240, 480, 960};
  const auto frame = config < 12 ? silk[config & 3] : config < 16 ? silk[config & 1] : celt[config & 3];
  std::uint32_t frames = count_code == 0 ? 1 : 2;
  if (count_code == 3) {
    if (packet.size() < 2) return 0;
    frames = byte(packet, 1) & 0x3F;
  }
  return frames * frame <= longest_packet ? frames * frame : 0;
}

}  // namespace lookback::packager
