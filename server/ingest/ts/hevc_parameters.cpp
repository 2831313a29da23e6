#include "server/ingest/ts/hevc_parameters.hpp"

#include <algorithm>
#include <optional>

#include "packager/media/bit_reader.hpp"
#include "packager/media/sps.hpp"

namespace lookback::server::ts {
namespace {

using packager::BitReader;

constexpr unsigned vps_type = 32, sps_type = 33, pps_type = 34;
constexpr std::uint32_t max_pps_id = 63;
constexpr std::size_t header_bytes = 2;

unsigned type_of(ByteSpan nal_unit) { return std::to_integer<unsigned>(nal_unit[0]) >> 1 & 0x3f; }

std::optional<std::uint32_t> id_of(ByteSpan nal_unit) {
  if (nal_unit.size() <= header_bytes || nal_unit.size() > max_set_bytes) return std::nullopt;
  const auto type = type_of(nal_unit);
  if (type == sps_type) {
    const auto sps = packager::parse_hevc_sps(nal_unit);
    if (!sps) return std::nullopt;
    return sps->id;
  }
  const auto rbsp = packager::without_emulation_prevention(nal_unit.subspan(header_bytes));
  BitReader in(rbsp);
  const auto id = type == vps_type ? in.bits(4) : in.ue(max_pps_id);
  if (!in.ok()) return std::nullopt;
  return id;
}

void put_u8(std::size_t value, std::vector<std::byte>& out) { out.push_back(static_cast<std::byte>(value)); }

void put_u16(std::size_t value, std::vector<std::byte>& out) {
  put_u8(value >> 8, out);
  put_u8(value & 0xff, out);
}

}  // namespace

HevcParameters::Change HevcParameters::look(ByteSpan nal_unit) const {
  const auto is = [&](const auto& known) { return std::ranges::equal(known.second, nal_unit); };
  if (std::ranges::any_of(sets_, is)) return Change::none;
  return id_of(nal_unit) ? Change::changed : Change::refused;
}

HevcParameters::Change HevcParameters::put(ByteSpan nal_unit) {
  const auto change = look(nal_unit);
  if (change != Change::changed) return change;
  const auto type = type_of(nal_unit);
  const Key key{type, *id_of(nal_unit)};
  if (type != pps_type && sets_.contains(key)) forget_from(type);
  auto total = nal_unit.size();
  for (const auto& [known, bytes] : sets_) total += bytes.size();
  if (total > max_sets_bytes) return Change::refused;
  sets_[key].assign(nal_unit.begin(), nal_unit.end());
  return Change::changed;
}

/// A set refers to those of lower types.
void HevcParameters::forget_from(unsigned type) {
  std::erase_if(sets_, [&](const auto& known) { return known.first.first >= type; });
}

bool HevcParameters::complete() const {
  const auto has = [&](unsigned type) {
    const auto found = sets_.lower_bound(Key{type, 0});
    return found != sets_.end() && found->first.first == type;
  };
  return has(vps_type) && has(sps_type) && has(pps_type);
}

std::vector<std::byte> HevcParameters::record() const {
  constexpr std::size_t profile_at = 3, profile_bytes = 12;  // profile_tier_level() up to general_level_idc
  constexpr unsigned array_complete = 0x80;
  const auto& sps = sets_.lower_bound(Key{sps_type, 0})->second;
  const auto rbsp = packager::without_emulation_prevention(sps);
  const auto shape = packager::parse_hevc_sps(sps).value();
  const auto layers = std::to_integer<unsigned>(rbsp[2]);  // VPS id, sub-layers minus 1, nesting flag

  std::vector<std::byte> out{std::byte{1}};
  const auto profile = rbsp.begin() + profile_at;
  out.insert(out.end(), profile, profile + profile_bytes);
  put_u16(0xf000, out);  // min_spatial_segmentation_idc: not told
  put_u8(0xfc, out);     // parallelismType: not told
  put_u8(0xfc | shape.chroma_format, out);
  put_u8(0xf8 | (shape.luma_depth - 8), out);
  put_u8(0xf8 | (shape.chroma_depth - 8), out);
  put_u16(0, out);                                                    // avgFrameRate: not told
  put_u8(((layers >> 1 & 7) + 1) << 3 | (layers & 1) << 2 | 3, out);  // and lengthSizeMinusOne
  put_u8(3, out);
  for (const auto type : {vps_type, sps_type, pps_type}) {
    put_u8(array_complete | type, out);
    put_u16(static_cast<std::size_t>(
                std::ranges::count(sets_, type, [](const auto& s) { return s.first.first; })),
            out);
    for (const auto& [key, bytes] : sets_) {
      if (key.first != type) continue;
      put_u16(bytes.size(), out);
      out.insert(out.end(), bytes.begin(), bytes.end());
    }
  }
  return out;
}

}  // namespace lookback::server::ts
