// The sequence parameter set of H.265. Nearly all of it must be walked to reach the VUI.
#include <array>

#include "packager/media/bit_reader.hpp"
#include "packager/media/picture_format.hpp"
#include "packager/media/sps.hpp"
#include "packager/media/vui.hpp"

namespace lookback::packager {
namespace {

constexpr unsigned sps_nal_type = 33;
constexpr unsigned profile_bits = 88, level_bits = 8;
constexpr std::uint32_t max_reference_pictures = 16, max_short_term_sets = 64, max_long_term_pictures = 32;

/// profile_tier_level() (7.3.3)
void skip_profile_tier_level(BitReader& in, unsigned sub_layers_minus1) {
  in.skip(profile_bits + level_bits);
  std::array<bool, 8> profile{}, level{};
  for (unsigned i = 0; i < sub_layers_minus1; ++i) {
    profile[i] = in.flag();
    level[i] = in.flag();
  }
  if (sub_layers_minus1 > 0) in.skip(std::size_t{2} * (8 - sub_layers_minus1));
  for (unsigned i = 0; i < sub_layers_minus1; ++i) {
    in.skip((profile[i] ? profile_bits : 0) + (level[i] ? level_bits : 0));
  }
}

/// scaling_list_data() (7.3.4)
void skip_scaling_lists(BitReader& in) {
  for (int size = 0; size < 4; ++size) {
    for (int matrix = 0; matrix < 6 && in.ok(); matrix += size == 3 ? 3 : 1) {
      if (!in.flag()) {
        in.ue();  // scaling_list_pred_matrix_id_delta
        continue;
      }
      if (size > 1) in.se();  // scaling_list_dc_coef_minus8
      const int coefficients = size == 0 ? 16 : 64;
      for (int i = 0; i < coefficients && in.ok(); ++i) in.se();
    }
  }
}

/// st_ref_pic_set() (7.3.7) number `index`; gives NumDeltaPocs. `reference`: that of the set before it.
std::uint32_t skip_short_term_set(BitReader& in, std::uint32_t index, std::uint32_t reference) {
  if (index > 0 && in.flag()) {  // inter_ref_pic_set_prediction_flag
    in.flag();                   // delta_rps_sign
    in.ue();                     // abs_delta_rps_minus1
    std::uint32_t pictures = 0;
    for (std::uint32_t i = 0; i <= reference && in.ok(); ++i) {
      const bool used = in.flag();
      if (used || in.flag()) ++pictures;  // use_delta_flag
    }
    return pictures;
  }
  const auto negative = in.ue(max_reference_pictures), positive = in.ue(max_reference_pictures);
  for (std::uint32_t i = 0; i < negative + positive && in.ok(); ++i) {
    in.ue();    // delta_poc_minus1
    in.flag();  // used_by_curr_pic_flag
  }
  return negative + positive;
}

void skip_reference_sets(BitReader& in, unsigned poc_bits) {
  const auto sets = in.ue(max_short_term_sets);
  std::uint32_t pictures = 0;
  for (std::uint32_t i = 0; i < sets && in.ok(); ++i) pictures = skip_short_term_set(in, i, pictures);
  if (!in.flag()) return;  // long_term_ref_pics_present_flag
  const auto long_term = in.ue(max_long_term_pictures);
  for (std::uint32_t i = 0; i < long_term && in.ok(); ++i) in.skip(poc_bits + 1);
}

/// Size and conformance window (7-10 to 7-13).
Result<void> read_size(BitReader& in, Sps& sps) {
  const auto chroma = sps.chroma_format = in.ue(3);
  const bool separate_planes = chroma == 3 && in.flag();
  const std::uint64_t width = in.ue(), height = in.ue();
  std::uint64_t left = 0, right = 0, top = 0, bottom = 0;
  if (in.flag()) {
    left = in.ue(), right = in.ue(), top = in.ue(), bottom = in.ue();
  }
  if (!in.ok()) return Errc::bad_sps;
  if (width > max_picture_side || height > max_picture_side) return Errc::picture_too_large;
  const std::uint64_t unit_x = !separate_planes && (chroma == 1 || chroma == 2) ? 2 : 1;
  const std::uint64_t unit_y = !separate_planes && chroma == 1 ? 2 : 1;
  const auto crop_x = (left + right) * unit_x, crop_y = (top + bottom) * unit_y;
  if (crop_x >= width || crop_y >= height) return Errc::bad_sps;
  sps.width = static_cast<std::uint32_t>(width - crop_x);
  sps.height = static_cast<std::uint32_t>(height - crop_y);
  return {};
}

/// From the bit depths to the flag before the VUI.
void read_coding_tools(BitReader& in, unsigned sub_layers_minus1, Sps& sps) {
  sps.luma_depth = in.ue(7) + 8;  // the record of an init section has three bits for each
  sps.chroma_depth = in.ue(7) + 8;
  const auto poc_bits = in.ue(12) + 4;
  const unsigned first = in.flag() ? 0 : sub_layers_minus1;  // sub_layer_ordering_info_present_flag
  for (unsigned i = first; i <= sub_layers_minus1; ++i) in.ue(), in.ue(), in.ue();
  for (int i = 0; i < 6; ++i) in.ue();  // block sizes and transform hierarchy depths
  if (in.flag() && in.flag()) skip_scaling_lists(in);
  in.bits(2);       // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (in.flag()) {  // pcm_enabled_flag
    in.bits(8);     // bit depths
    in.ue(), in.ue();
    in.flag();  // pcm_loop_filter_disabled_flag
  }
  skip_reference_sets(in, poc_bits);
  in.bits(2);  // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
}

/// vui_parameters() (E.2.1) as far as the timing.
void read_vui(BitReader& in, Sps& sps) {
  read_vui_picture(in, sps);
  in.bits(3);                                         // neutral_chroma, field_seq, frame_field_info_present
  if (in.flag()) in.ue(), in.ue(), in.ue(), in.ue();  // default_display_window
  if (!in.flag()) return;                             // vui_timing_info_present_flag
  sps.num_units_in_tick = in.bits(32);
  sps.time_scale = in.bits(32);
}

}  // namespace

Result<Sps> parse_hevc_sps(ByteSpan nal_unit) {
  constexpr std::size_t header_bytes = 2;
  if (nal_unit.size() < header_bytes) return Errc::bad_sps;
  const auto rbsp = without_emulation_prevention(nal_unit);
  BitReader in(rbsp);
  if (in.flag() || in.bits(6) != sps_nal_type || in.bits(6) != 0) return Errc::bad_sps;  // nuh_layer_id
  in.bits(3);  // nuh_temporal_id_plus1
  in.bits(4);  // sps_video_parameter_set_id
  const auto sub_layers_minus1 = in.bits(3);
  in.flag();  // sps_temporal_id_nesting_flag
  if (sub_layers_minus1 > 6) return Errc::bad_sps;
  skip_profile_tier_level(in, sub_layers_minus1);

  Sps sps;
  sps.id = in.ue(15);
  if (const auto size = read_size(in, sps); !size) return size.error();
  read_coding_tools(in, sub_layers_minus1, sps);
  if (in.flag()) read_vui(in, sps);
  if (!in.ok()) return Errc::bad_sps;
  return sps;
}

}  // namespace lookback::packager
