#include "server/ingest/ts/hevc_stream.hpp"

namespace lookback::server::ts {
namespace {

constexpr std::size_t header_bytes = 2;

/// ITU-T H.265 table 7-1.
enum NalType : unsigned {
  first_irap = 16,  // BLA, IDR and CRA pictures
  last_irap = 23,
  last_picture = 31,
  vps = 32,
  sps = 33,
  pps = 34,
  delimiter = 35,
  end_of_sequence = 36,
  end_of_stream = 37,
  filler = 38,
  prefix_sei = 39,
};

}  // namespace

NalRole Hevc::role_of(ByteSpan nal_unit) {
  if (nal_unit.size() < header_bytes) return NalRole::damaged;
  const auto first = std::to_integer<unsigned>(nal_unit[0]), second = std::to_integer<unsigned>(nal_unit[1]);
  if ((first & 0x80) || (second & 7) == 0) return NalRole::damaged;  // forbidden bit, temporal id plus 1
  const auto layer = (first & 1) << 5 | second >> 3;
  if (layer != 0) return NalRole::left_out;
  switch (const auto type = first >> 1) {
    case vps:
    case pps:
      return NalRole::parameter_set;
    case sps:
      return NalRole::sequence_set;
    case delimiter:
    case end_of_sequence:
    case end_of_stream:
    case filler:
      return NalRole::left_out;
    case prefix_sei:
      return has_recovery_point(nal_unit, header_bytes) ? NalRole::key_mark : NalRole::supplement;
    default:
      if (type > last_picture) return NalRole::supplement;
      return type >= first_irap && type <= last_irap ? NalRole::key_picture : NalRole::picture;
  }
}

}  // namespace lookback::server::ts
