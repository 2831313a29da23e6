#include "packager/media/sps.hpp"

#include "packager/media/bit_reader.hpp"
#include "packager/media/picture_format.hpp"
#include "packager/media/vui.hpp"

namespace lookback::packager {
namespace {

constexpr unsigned sps_nal_type = 7;
/// The profiles whose SPS carries chroma_format_idc and what follows it (7.3.2.1.1).
bool has_chroma_format(std::uint32_t profile) {
  switch (profile) {
    case 100:
    case 110:
    case 122:
    case 244:
    case 44:
    case 83:
    case 86:
    case 118:
    case 128:
    case 138:
    case 139:
    case 134:
    case 135:
      return true;
    default:
      return false;
  }
}

/// scaling_list() (7.3.2.1.1.1): only its length in the stream matters here.
void skip_scaling_list(BitReader& in, int size) {
  int last = 8, next = 8;
  for (int i = 0; i < size && in.ok(); ++i) {
    if (next != 0) next = static_cast<int>((last + std::int64_t{in.se()} + 256) & 0xFF);
    if (next != 0) last = next;
  }
}

/// Reads chroma_format_idc to the scaling matrices; gives ChromaArrayType.
std::uint32_t read_chroma(BitReader& in) {
  const auto format = in.ue(3);
  const bool separate_planes = format == 3 && in.flag();
  in.ue(6);   // bit_depth_luma_minus8
  in.ue(6);   // bit_depth_chroma_minus8
  in.flag();  // qpprime_y_zero_transform_bypass_flag
  if (in.flag()) {
    const int lists = format == 3 ? 12 : 8;
    for (int i = 0; i < lists && in.ok(); ++i) {
      if (in.flag()) skip_scaling_list(in, i < 6 ? 16 : 64);
    }
  }
  return separate_planes ? 0 : format;
}

void skip_picture_order(BitReader& in) {
  const auto type = in.ue(2);
  if (type == 0) {
    in.ue(12);  // log2_max_pic_order_cnt_lsb_minus4
  } else if (type == 1) {
    in.flag();  // delta_pic_order_always_zero_flag
    in.se();    // offset_for_non_ref_pic
    in.se();    // offset_for_top_to_bottom_field
    const auto cycle = in.ue(255);
    for (std::uint32_t i = 0; i < cycle && in.ok(); ++i) in.se();
  }
}

/// Size in macroblocks and cropping (7-13 to 7-22). Only `picture_too_large` and `bad_sps` as its errors.
Result<void> read_size(BitReader& in, std::uint32_t chroma_array_type, Sps& sps) {
  const auto width_mbs = std::uint64_t{in.ue()} + 1;
  const auto height_units = std::uint64_t{in.ue()} + 1;
  const bool frame_mbs_only = in.flag();
  if (!frame_mbs_only) in.flag();  // mb_adaptive_frame_field_flag
  in.flag();                       // direct_8x8_inference_flag
  if (!in.ok()) return Errc::bad_sps;

  const std::uint64_t field_factor = frame_mbs_only ? 1 : 2;
  const auto width = width_mbs * 16, height = height_units * 16 * field_factor;
  if (width > max_picture_side || height > max_picture_side) return Errc::picture_too_large;

  std::uint64_t left = 0, right = 0, top = 0, bottom = 0;
  if (in.flag()) {
    left = in.ue(), right = in.ue(), top = in.ue(), bottom = in.ue();
  }
  const std::uint64_t unit_x = chroma_array_type == 1 || chroma_array_type == 2 ? 2 : 1;
  const std::uint64_t unit_y = (chroma_array_type == 1 ? 2 : 1) * field_factor;
  const auto crop_x = (left + right) * unit_x, crop_y = (top + bottom) * unit_y;
  if (!in.ok() || crop_x >= width || crop_y >= height) return Errc::bad_sps;
  sps.width = static_cast<std::uint32_t>(width - crop_x);
  sps.height = static_cast<std::uint32_t>(height - crop_y);
  return {};
}

/// vui_parameters() (E.1.1) as far as the timing; what follows it says nothing about the picture.
void read_vui(BitReader& in, Sps& sps) {
  read_vui_picture(in, sps);
  if (in.flag()) {
    sps.num_units_in_tick = in.bits(32);
    sps.time_scale = in.bits(32);
    in.flag();  // fixed_frame_rate_flag
  }
}

}  // namespace

Result<Sps> parse_sps(ByteSpan nal_unit) {
  if (nal_unit.empty()) return Errc::bad_sps;
  const auto header = std::to_integer<unsigned>(nal_unit[0]);
  if ((header & 0x80) != 0 || (header & 0x1F) != sps_nal_type) return Errc::bad_sps;

  const auto rbsp = without_emulation_prevention(nal_unit.subspan(1));
  BitReader in(rbsp);
  const auto profile = in.bits(8);
  in.bits(16);  // constraint flags, level_idc
  in.ue(31);    // seq_parameter_set_id
  const auto chroma_array_type = has_chroma_format(profile) ? read_chroma(in) : 1;
  in.ue(12);  // log2_max_frame_num_minus4
  skip_picture_order(in);
  in.ue(16);  // max_num_ref_frames
  in.flag();  // gaps_in_frame_num_value_allowed_flag

  Sps sps;
  if (const auto size = read_size(in, chroma_array_type, sps); !size) return size.error();
  if (in.flag()) read_vui(in, sps);
  if (!in.ok()) return Errc::bad_sps;
  return sps;
}

}  // namespace lookback::packager
