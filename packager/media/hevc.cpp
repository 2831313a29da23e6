#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>

#include "packager/media/byte_cursor.hpp"
#include "packager/media/picture_format.hpp"
#include "packager/media/sps.hpp"

namespace lookback::packager {
namespace {

constexpr std::size_t max_record_bytes = 32 * 1024;
constexpr std::size_t fixed_bytes = 22;  // up to numOfArrays
constexpr unsigned vps_type = 32, sps_type = 33, pps_type = 34;
constexpr std::byte array_completeness{0x80};

struct Record {
  std::vector<std::byte> bytes;  ///< as the sample entry carries them
  bool vps = false, pps = false;
  std::optional<Sps> sps;  ///< the first
};

std::uint32_t reversed(std::uint32_t bits) {
  std::uint32_t out = 0;
  for (int i = 0; i < 32; ++i) out |= (bits >> i & 1) << (31 - i);
  return out;
}

/// Profile space and profile, compatibility flags in reverse bit order, tier and level, constraint bytes
/// without trailing zeros (ISO/IEC 14496-15 annex E.3).
std::string codec_string(ByteSpan record) {
  const auto byte = [&](std::size_t at) { return std::to_integer<unsigned>(record[at]); };
  constexpr std::array<const char*, 4> spaces{"", "A", "B", "C"};
  const auto compatibility = byte(2) << 24 | byte(3) << 16 | byte(4) << 8 | byte(5);
  auto out = fmt::format("hvc1.{}{}.{:X}.{}{}", spaces[byte(1) >> 6], byte(1) & 0x1F, reversed(compatibility),
                         (byte(1) & 0x20) != 0 ? 'H' : 'L', byte(12));
  std::size_t end = 12;
  while (end > 6 && byte(end - 1) == 0) --end;
  for (std::size_t at = 6; at < end; ++at) out += fmt::format(".{:X}", byte(at));
  return out;
}

/// One array of NAL units. Those that hold parameter sets are named complete: `hvc1` says that there are no
/// others in the samples (8.4.1.1), and FFmpeg's FLV muxer writes them as `hev1` would.
Result<void> read_array(ByteCursor& in, Record& record) {
  const auto at = record.bytes.size() - in.left();
  const auto head = in.u8(), count = in.u16();
  if (!head || !count) return Errc::truncated;
  const auto type = *head & 0x3F;
  const bool parameter_sets = type >= vps_type && type <= pps_type;
  if (parameter_sets) record.bytes[at] |= array_completeness;
  for (unsigned i = 0; i < *count; ++i) {
    const auto nal = in.nal_unit();
    if (!nal) return Errc::truncated;
    if (parameter_sets && (nal->size() < 2 || (std::to_integer<unsigned>((*nal)[0]) >> 1 & 0x3F) != type)) {
      return Errc::bad_hevc_config;
    }
    record.vps |= type == vps_type;
    record.pps |= type == pps_type;
    if (type != sps_type) continue;
    auto sps = parse_hevc_sps(*nal);
    if (!sps) return sps.error();
    if (!record.sps) record.sps = *sps;
  }
  return {};
}

Result<Record> read_record(ByteSpan bytes) {
  if (bytes.size() > max_record_bytes) return Errc::bad_hevc_config;
  if (!bytes.empty() && bytes[0] != std::byte{1}) return Errc::bad_hevc_config;
  Record record;
  record.bytes.assign(bytes.begin(), bytes.end());
  ByteCursor in(bytes);
  in.take(fixed_bytes);
  const auto arrays = in.u8();
  if (bytes.size() < fixed_bytes || !arrays) return Errc::truncated;
  for (unsigned i = 0; i < *arrays; ++i) {
    if (const auto read = read_array(in, record); !read) return read.error();
  }
  if (!record.vps || !record.sps || !record.pps) return Errc::bad_hevc_config;
  return record;
}

}  // namespace

Result<TrackFormat> parse_hevc_config(ByteSpan bytes) {
  const auto record = read_record(bytes);
  if (!record) return record.error();
  const auto length_size = (std::to_integer<unsigned>(bytes[21]) & 3) + 1;
  if (length_size == 3) return Errc::bad_hevc_config;
  const auto& sps = *record->sps;
  auto format =
      video_format(Codec::hevc, record->bytes, sps.width, sps.height, sps.sar_num, sps.sar_den, sps.colour);
  format.codecs = codec_string(record->bytes);
  format.nal_length_size = static_cast<std::uint8_t>(length_size);
  set_frame_rate(sps.time_scale, sps.num_units_in_tick, format);
  return format;
}

}  // namespace lookback::packager
