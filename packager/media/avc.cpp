#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <limits>
#include <numeric>
#include <optional>

#include "packager/media/sps.hpp"
#include "packager/media/track_format.hpp"

namespace lookback::packager {
namespace {

constexpr std::size_t max_record_bytes = 16 * 1024;
constexpr std::size_t max_parameter_set_bytes = 4 * 1024;
constexpr unsigned pps_nal_type = 8;
constexpr std::uint32_t video_timescale = 90'000;
constexpr std::uint8_t transfer_pq = 16, transfer_hlg = 18;

struct Record {
  std::array<unsigned, 3> profile{};  ///< AVCProfileIndication, profile_compatibility, AVCLevelIndication
  unsigned nal_length_size = 0;
  Sps sps;  ///< the first
};

/// Takes bytes from the front; nothing when there are not enough.
class Cursor {
 public:
  explicit Cursor(ByteSpan bytes) : rest_(bytes) {}
  std::size_t left() const { return rest_.size(); }

  std::optional<unsigned> u8() {
    const auto byte = take(1);
    if (!byte) return std::nullopt;
    return std::to_integer<unsigned>(byte->front());
  }

  /// A NAL unit behind its 16-bit length.
  std::optional<ByteSpan> nal_unit() {
    const auto high = u8(), low = u8();
    if (!high || !low) return std::nullopt;
    return take(*high << 8 | *low);
  }

 private:
  std::optional<ByteSpan> take(std::size_t count) {
    if (count > rest_.size()) return std::nullopt;
    const auto front = rest_.first(count);
    rest_ = rest_.subspan(count);
    return front;
  }

  ByteSpan rest_;
};

/// Every SPS must be one that can be decoded: the stream may activate any of them.
Result<Sps> read_sps_list(Cursor& in) {
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

Result<void> skip_pps_list(Cursor& in) {
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
Result<void> skip_high_profile_fields(Cursor& in) {
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
  Cursor in(bytes);
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

/// A tick of the VUI lasts one field, so a frame lasts two (E.2.1). Encoders with a variable frame rate
/// put their clock's resolution here: what no camera does is left unknown.
void set_frame_rate(const Sps& sps, TrackFormat& format) {
  const std::uint64_t num = sps.time_scale, den = std::uint64_t{sps.num_units_in_tick} * 2;
  if (num == 0 || den == 0 || num > den * 300 || num * 10 < den) return;
  const auto common = std::gcd(num, den);
  if (den / common > std::numeric_limits<std::uint32_t>::max()) return;
  format.frame_rate_num = static_cast<std::uint32_t>(num / common);
  format.frame_rate_den = static_cast<std::uint32_t>(den / common);
}

/// A ratio that takes the width out of a track header's 16 bits is taken as square.
void set_display_size(const Sps& sps, TrackFormat& format) {
  const auto scaled = (std::uint64_t{sps.width} * sps.sar_num + sps.sar_den / 2) / sps.sar_den;
  const bool usable = scaled > 0 && scaled <= 0xFFFF;
  format.sar_num = usable ? sps.sar_num : 1;
  format.sar_den = usable ? sps.sar_den : 1;
  format.display_width = usable ? static_cast<std::uint32_t>(scaled) : sps.width;
  format.display_height = sps.height;
}

VideoRange range_of(std::uint8_t transfer) {
  if (transfer == transfer_pq) return VideoRange::pq;
  return transfer == transfer_hlg ? VideoRange::hlg : VideoRange::sdr;
}

}  // namespace

Result<Sps> first_sps(ByteSpan avc_config) {
  const auto record = read_record(avc_config);
  if (!record) return record.error();
  return record->sps;
}

Result<TrackFormat> parse_avc_config(ByteSpan record_bytes) {
  const auto record = read_record(record_bytes);
  if (!record) return record.error();

  TrackFormat format;
  format.kind = MediaKind::video;
  format.codec = Codec::avc;
  format.config.assign(record_bytes.begin(), record_bytes.end());
  format.timescale = video_timescale;
  const auto& profile = record->profile;
  format.codecs = fmt::format("avc1.{:02x}{:02x}{:02x}", profile[0], profile[1], profile[2]);
  format.coded_width = record->sps.width;
  format.coded_height = record->sps.height;
  format.nal_length_size = static_cast<std::uint8_t>(record->nal_length_size);
  format.range = range_of(record->sps.transfer);
  set_display_size(record->sps, format);
  set_frame_rate(record->sps, format);
  return format;
}

}  // namespace lookback::packager
