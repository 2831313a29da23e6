#pragma once
#include <cstdint>

namespace lookback::packager {

enum class VideoRange : std::uint8_t { sdr, hlg, pq };

/// How coded samples become light: the code points of ITU-T H.273, which all video codecs share.
struct Colour {
  static constexpr std::uint8_t unspecified = 2, bt709 = 1, pq = 16, hlg = 18;
  std::uint8_t primaries = unspecified, transfer = unspecified, matrix = unspecified;
  bool full_range = false;

  bool operator==(const Colour&) const = default;

  /// VIDEO-RANGE (rfc8216bis 4.4.6.2).
  VideoRange range() const {
    if (transfer == pq) return VideoRange::pq;
    return transfer == hlg ? VideoRange::hlg : VideoRange::sdr;
  }
  /// What a codec string's optional fields would repeat: BT.709 or nothing, in video range.
  bool is_usual() const {
    const auto usual = [](std::uint8_t point) { return point == bt709 || point == unspecified; };
    return usual(primaries) && usual(transfer) && usual(matrix) && !full_range;
  }
};

}  // namespace lookback::packager
