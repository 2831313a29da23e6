#include "packager/media/picture_format.hpp"

#include <limits>
#include <numeric>

namespace lookback::packager {

TrackFormat video_format(Codec codec, ByteSpan config, std::uint32_t width, std::uint32_t height,
                         std::uint32_t sar_num, std::uint32_t sar_den, const Colour& colour) {
  TrackFormat format;
  format.kind = MediaKind::video;
  format.codec = codec;
  format.config.assign(config.begin(), config.end());
  format.timescale = video_timescale;
  format.coded_width = width;
  format.coded_height = height;
  const auto scaled = (std::uint64_t{width} * sar_num + sar_den / 2) / sar_den;
  const bool usable = scaled > 0 && scaled <= 0xFFFF;
  format.sar_num = usable ? sar_num : 1;
  format.sar_den = usable ? sar_den : 1;
  format.display_width = usable ? static_cast<std::uint32_t>(scaled) : width;
  format.display_height = height;
  format.colour = colour;
  format.range = colour.range();
  return format;
}

void set_frame_rate(std::uint64_t num, std::uint64_t den, TrackFormat& format) {
  constexpr std::uint64_t longest = std::uint64_t{1} << 40;  // keeps the products below in 64 bits
  if (num == 0 || den == 0 || num > longest || den > longest) return;
  if (num > den * 300 || num * 10 < den) return;
  const auto common = std::gcd(num, den);
  constexpr std::uint64_t limit = std::numeric_limits<std::uint32_t>::max();
  if (num / common > limit || den / common > limit) return;
  format.frame_rate_num = static_cast<std::uint32_t>(num / common);
  format.frame_rate_den = static_cast<std::uint32_t>(den / common);
}

}  // namespace lookback::packager
