#include "server/ingest/ts/avc_parameters.hpp"

#include <algorithm>
#include <optional>

#include "packager/media/bit_reader.hpp"
#include "packager/media/sps.hpp"

namespace lookback::server::ts {
namespace {

using packager::BitReader;

constexpr unsigned sps_type = 7;
constexpr std::uint32_t max_sps_id = 31, max_pps_id = 255;
constexpr std::size_t max_sps_count = 31;  // five bits in the record

unsigned type_of(ByteSpan nal_unit) { return std::to_integer<unsigned>(nal_unit[0]) & 0x1f; }

std::optional<std::uint32_t> id_of(ByteSpan nal_unit) {
  if (nal_unit.size() < 2 || nal_unit.size() > max_set_bytes) return std::nullopt;
  const bool is_sps = type_of(nal_unit) == sps_type;
  const auto rbsp = packager::without_emulation_prevention(nal_unit.subspan(1));
  BitReader in(rbsp);
  if (is_sps) in.skip(24);  // profile_idc, constraints, level_idc
  const auto id = in.ue(is_sps ? max_sps_id : max_pps_id);
  if (!is_sps) in.ue(max_sps_id);  // seq_parameter_set_id
  if (!in.ok()) return std::nullopt;
  if (is_sps && !packager::parse_sps(nal_unit).has_value()) return std::nullopt;
  return id;
}

/// What the record of a high profile says of an SPS: chroma_format_idc and the bit depths less 8.
struct SampleShape {
  std::uint32_t chroma_format = 1, luma_depth = 0, chroma_depth = 0;
};

SampleShape shape_of(ByteSpan sps) {
  const auto rbsp = packager::without_emulation_prevention(sps.subspan(1));
  BitReader in(rbsp);
  in.skip(24);
  in.ue(max_sps_id);
  SampleShape shape;
  shape.chroma_format = in.ue(3);
  if (shape.chroma_format == 3) in.skip(1);  // separate_colour_plane_flag
  shape.luma_depth = in.ue(6);
  shape.chroma_depth = in.ue(6);
  return shape;
}

void put_u8(std::size_t value, std::vector<std::byte>& out) { out.push_back(static_cast<std::byte>(value)); }

void put_set(const std::vector<std::byte>& set, std::vector<std::byte>& out) {
  put_u8(set.size() >> 8, out);
  put_u8(set.size() & 0xff, out);
  out.insert(out.end(), set.begin(), set.end());
}

}  // namespace

AvcParameters::Change AvcParameters::look(ByteSpan nal_unit) const {
  const auto is = [&](const auto& known) { return std::ranges::equal(known.second, nal_unit); };
  if (std::ranges::any_of(sps_, is) || std::ranges::any_of(pps_, is)) return Change::none;
  return id_of(nal_unit) ? Change::changed : Change::refused;
}

AvcParameters::Change AvcParameters::put(ByteSpan nal_unit) {
  const auto change = look(nal_unit);
  if (change != Change::changed) return change;
  const auto id = *id_of(nal_unit);
  const bool is_sps = type_of(nal_unit) == sps_type;
  if (is_sps && sps_.contains(id)) {
    sps_.clear();
    pps_.clear();
  }
  std::size_t total = nal_unit.size();
  for (const auto* sets : {&sps_, &pps_}) {
    for (const auto& [known, bytes] : *sets) total += bytes.size();
  }
  if (total > max_sets_bytes || (is_sps && sps_.size() == max_sps_count)) return Change::refused;
  (is_sps ? sps_ : pps_)[id].assign(nal_unit.begin(), nal_unit.end());
  return Change::changed;
}

std::vector<std::byte> AvcParameters::record() const {
  const auto& first = sps_.begin()->second;
  const auto profile = std::to_integer<unsigned>(first[1]);
  std::vector<std::byte> out{std::byte{1}, first[1], first[2], first[3]};
  put_u8(0xfc | 3, out);  // lengthSizeMinusOne
  put_u8(0xe0 | sps_.size(), out);
  for (const auto& [id, set] : sps_) put_set(set, out);
  const auto pps_count = std::min<std::size_t>(pps_.size(), 255);
  put_u8(pps_count, out);
  auto pps = pps_.begin();
  for (std::size_t i = 0; i < pps_count; ++i, ++pps) put_set(pps->second, out);
  if (profile != 66 && profile != 77 && profile != 88) {
    const auto shape = shape_of(first);
    put_u8(0xfc | shape.chroma_format, out);
    put_u8(0xf8 | shape.luma_depth, out);
    put_u8(0xf8 | shape.chroma_depth, out);
    put_u8(0, out);  // no SPS extensions
  }
  return out;
}

}  // namespace lookback::server::ts
