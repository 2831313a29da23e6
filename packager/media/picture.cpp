#include "packager/media/picture.hpp"

#include <optional>

namespace lookback::packager {
namespace {

/// Takes a NAL unit behind its length; nothing when it does not fit.
std::optional<ByteSpan> take_nal_unit(ByteSpan& bytes, std::size_t length_size) {
  if (bytes.size() < length_size) return std::nullopt;
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_size; ++i) length = length << 8 | std::to_integer<std::size_t>(bytes[i]);
  bytes = bytes.subspan(length_size);
  if (length > bytes.size()) return std::nullopt;
  const auto unit = bytes.first(length);
  bytes = bytes.subspan(length);
  return unit;
}

bool is_avc_idr(unsigned header) {
  constexpr unsigned idr_slice = 5;
  return (header & 0x1F) == idr_slice;
}

bool is_hevc_idr(unsigned header) {
  constexpr unsigned idr_w_radl = 19, idr_n_lp = 20;
  const auto type = header >> 1 & 0x3F;
  return type == idr_w_radl || type == idr_n_lp;
}

}  // namespace

bool nal_units_fit(ByteSpan access_unit, std::size_t length_size) {
  while (!access_unit.empty()) {
    if (!take_nal_unit(access_unit, length_size)) return false;
  }
  return true;
}

bool begins_closed_gop(const TrackFormat& format, ByteSpan access_unit) {
  if (format.codec != Codec::avc && format.codec != Codec::hevc) return true;
  const auto is_idr = format.codec == Codec::avc ? is_avc_idr : is_hevc_idr;
  while (const auto unit = take_nal_unit(access_unit, format.nal_length_size)) {
    if (!unit->empty() && is_idr(std::to_integer<unsigned>(unit->front()))) return true;
  }
  return false;
}

}  // namespace lookback::packager
