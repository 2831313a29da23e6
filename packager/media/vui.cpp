#include "packager/media/vui.hpp"

#include <array>
#include <numeric>
#include <utility>

namespace lookback::packager {
namespace {

constexpr std::uint8_t extended_sar = 255;

/// Table E-1, aspect_ratio_idc 0 (unspecified, taken as square) to 16.
constexpr std::array<std::pair<std::uint8_t, std::uint8_t>, 17> sample_aspect_ratios{{{1, 1},
                                                                                      {1, 1},
                                                                                      {12, 11},
                                                                                      {10, 11},
                                                                                      {16, 11},
                                                                                      {40, 33},
                                                                                      {24, 11},
                                                                                      {20, 11},
                                                                                      {32, 11},
                                                                                      {80, 33},
                                                                                      {18, 11},
                                                                                      {15, 11},
                                                                                      {64, 33},
                                                                                      {160, 99},
                                                                                      {4, 3},
                                                                                      {3, 2},
                                                                                      {2, 1}}};

void read_aspect_ratio(BitReader& in, Sps& sps) {
  const auto idc = in.bits(8);
  std::uint32_t num = 1, den = 1;
  if (idc == extended_sar) {
    num = in.bits(16);
    den = in.bits(16);
  } else if (idc < sample_aspect_ratios.size()) {
    num = sample_aspect_ratios[idc].first;
    den = sample_aspect_ratios[idc].second;
  }
  if (num == 0 || den == 0) return;  // unspecified (E.2.1)
  const auto common = std::gcd(num, den);
  sps.sar_num = num / common;
  sps.sar_den = den / common;
}

}  // namespace

void read_vui_picture(BitReader& in, Sps& sps) {
  if (in.flag()) read_aspect_ratio(in, sps);
  if (in.flag()) in.flag();  // overscan_appropriate_flag
  if (in.flag()) {
    in.bits(3);  // video_format
    sps.colour.full_range = in.flag();
    if (in.flag()) {
      sps.colour.primaries = static_cast<std::uint8_t>(in.bits(8));
      sps.colour.transfer = static_cast<std::uint8_t>(in.bits(8));
      sps.colour.matrix = static_cast<std::uint8_t>(in.bits(8));
    }
  }
  if (in.flag()) {
    in.ue(5);  // chroma_sample_loc_type_top_field
    in.ue(5);  // chroma_sample_loc_type_bottom_field
  }
}

}  // namespace lookback::packager
