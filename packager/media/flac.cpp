#include "packager/media/flac.hpp"

#include <bit>

#include "packager/media/audio_format.hpp"
#include "packager/media/bit_reader.hpp"

namespace lookback::packager {
namespace {

constexpr std::size_t streaminfo_bytes = 34, block_head_bytes = 4;
constexpr std::string_view magic = "fLaC";

}  // namespace

Result<ByteSpan> flac_streaminfo(ByteSpan header) {
  if (header.size() == streaminfo_bytes) return header;
  if (header.size() >= magic.size() && as_text(header.first(magic.size())) == magic) {
    header = header.subspan(magic.size());
  }
  if (header.size() < block_head_bytes + streaminfo_bytes) return Errc::truncated;
  BitReader in(header);
  in.flag();  // last-metadata-block
  const auto type = in.bits(7), length = in.bits(24);
  if (type != 0 || length != streaminfo_bytes) return Errc::bad_flac_config;
  return header.subspan(block_head_bytes, streaminfo_bytes);
}

Result<TrackFormat> parse_flac_config(ByteSpan streaminfo) {
  if (streaminfo.size() < streaminfo_bytes) return Errc::truncated;
  BitReader in(streaminfo);
  const auto smallest = in.bits(16), largest = in.bits(16);
  in.bits(24), in.bits(24);  // frame sizes
  const auto rate = in.bits(20), channels = in.bits(3) + 1, depth = in.bits(5) + 1;
  const bool sane = smallest >= 16 && largest >= smallest && rate > 0 && depth >= 4;
  if (streaminfo.size() != streaminfo_bytes || !sane || rate > max_sample_rate) return Errc::bad_flac_config;
  auto format = audio_format(Codec::flac, streaminfo, rate, channels, largest);
  format.codecs = "fLaC";
  return format;
}

std::uint32_t flac_frame_ticks(ByteSpan frame) {
  BitReader in(frame);
  if (in.bits(15) != 0x7FFC) return 0;
  in.flag();  // blocking strategy
  const auto code = in.bits(4);
  in.bits(4 + 4 + 3 + 1);  // sample rate, channels, depth, reserved
  // The coded number: UTF-8's scheme, up to 7 bytes.
  const auto lead = std::countl_one(static_cast<std::uint8_t>(in.bits(8)));
  if (lead == 1 || lead > 7) return 0;
  if (lead > 1) in.skip(static_cast<std::size_t>(lead - 1) * 8);
  std::uint32_t samples = 0;
  if (code == 1) samples = 192;
  if (code >= 2 && code <= 5) samples = 144U << code;
  if (code == 6) samples = in.bits(8) + 1;
  if (code == 7) samples = in.bits(16) + 1;
  if (code >= 8) samples = 1U << code;
  return in.ok() ? samples : 0;
}

}  // namespace lookback::packager
