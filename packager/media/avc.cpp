#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <optional>

#include "packager/media/byte_cursor.hpp"
#include "packager/media/picture_format.hpp"
#include "packager/media/sps.hpp"

namespace lookback::packager {
namespace {

constexpr std::size_t max_record_bytes = 16 * 1024;
constexpr std::size_t max_parameter_set_bytes = 4 * 1024;
constexpr unsigned pps_nal_type = 8;

struct Record {
  std::array<unsigned, 3> profile{};  ///< AVCProfileIndication, profile_compatibility, AVCLevelIndication
  unsigned nal_length_size = 0;
  Sps sps;  ///< the first
};

/// Every SPS must be one that can be decoded: the stream may activate any of them.
Result<Sps> read_sps_list(ByteCursor& in) {
  const auto count = in.u8();
  if (!count) return Errc::truncated;
  if ((*count & 0x1F) == 0) return Errc::bad_avc_config;
  std::optional<Sps> first;
  for (unsigned i = 0; i < (*count & 0x1F); ++i) {
    const auto nal = in.nal_unit();
    if (!nal) return Errc::truncated;
    if (nal->size() > max_parameter_set_bytes) return Errc::bad_avc_config;
    const auto sps = parse_sps(*nal);
    if (!sps) return sps.error();
    if (!first) first = *sps;
  }
  return *first;
}

Result<void> skip_pps_list(ByteCursor& in) {
  const auto count = in.u8();
  if (!count) return Errc::truncated;
  if (*count == 0) return Errc::bad_avc_config;
  for (unsigned i = 0; i < *count; ++i) {
    const auto nal = in.nal_unit();
    if (!nal) return Errc::truncated;
    if (nal->empty() || nal->size() > max_parameter_set_bytes) return Errc::bad_avc_config;
    if ((std::to_integer<unsigned>(nal->front()) & 0x1F) != pps_nal_type) return Errc::bad_avc_config;
  }
  return {};
}

/// chroma_format, bit depths and SPS extensions. Older writers leave all of it out.
Result<void> skip_high_profile_fields(ByteCursor& in) {
  if (in.left() == 0) return {};
  in.u8(), in.u8(), in.u8();
  const auto count = in.u8();
  if (!count) return Errc::truncated;
  for (unsigned i = 0; i < *count; ++i) {
    if (!in.nal_unit()) return Errc::truncated;
  }
  return {};
}

Result<Record> read_record(ByteSpan bytes) {
  if (bytes.size() > max_record_bytes) return Errc::bad_avc_config;
  ByteCursor in(bytes);
  const auto version = in.u8();
  if (!version) return Errc::truncated;
  if (*version != 1) return Errc::bad_avc_config;

  Record record;
  for (auto& byte : record.profile) {
    const auto value = in.u8();
    if (!value) return Errc::truncated;
    byte = *value;
  }
  const auto length_size = in.u8();
  if (!length_size) return Errc::truncated;
  record.nal_length_size = (*length_size & 3) + 1;
  if (record.nal_length_size == 3) return Errc::bad_avc_config;

  const auto sps = read_sps_list(in);
  if (!sps) return sps.error();
  record.sps = *sps;
  if (const auto pps = skip_pps_list(in); !pps) return pps.error();

  const auto profile = record.profile[0];
  if (profile != 66 && profile != 77 && profile != 88) {
    if (const auto rest = skip_high_profile_fields(in); !rest) return rest.error();
  }
  return record;
}

}  // namespace

Result<TrackFormat> parse_avc_config(ByteSpan record_bytes) {
  const auto record = read_record(record_bytes);
  if (!record) return record.error();
  const auto& sps = record->sps;
  auto format =
      video_format(Codec::avc, record_bytes, sps.width, sps.height, sps.sar_num, sps.sar_den, sps.colour);
  const auto& profile = record->profile;
  format.codecs = fmt::format("avc1.{:02x}{:02x}{:02x}", profile[0], profile[1], profile[2]);
  format.nal_length_size = static_cast<std::uint8_t>(record->nal_length_size);
  // A tick of the VUI lasts one field, so a frame lasts two (E.2.1).
  set_frame_rate(sps.time_scale, std::uint64_t{sps.num_units_in_tick} * 2, format);
  return format;
}

}  // namespace lookback::packager
