#include "server/ingest/ts/avc_stream.hpp"

namespace lookback::server::ts {
namespace {

/// ITU-T H.264 table 7-1.
enum NalType : unsigned {
  slice = 1,
  idr_slice = 5,
  sei = 6,
  sps = 7,
  pps = 8,
  delimiter = 9,
  end_of_sequence = 10,
  end_of_stream = 11,
  filler = 12,
};

}  // namespace

NalRole Avc::role_of(ByteSpan nal_unit) {
  const auto header = std::to_integer<unsigned>(nal_unit.front());
  if (header & 0x80) return NalRole::damaged;  // forbidden_zero_bit
  switch (const auto type = header & 0x1f) {
    case sps:
      return NalRole::sequence_set;
    case pps:
      return NalRole::parameter_set;
    case delimiter:
    case end_of_sequence:
    case end_of_stream:
    case filler:
      return NalRole::left_out;
    case sei:
      return has_recovery_point(nal_unit, 1) ? NalRole::key_mark : NalRole::supplement;
    case idr_slice:
      return NalRole::key_picture;
    default:
      return type >= slice && type < idr_slice ? NalRole::picture : NalRole::supplement;
  }
}

}  // namespace lookback::server::ts
