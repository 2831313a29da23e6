#include "server/ingest/ts/avc_stream.hpp"

#include <algorithm>

#include "packager/media/bit_reader.hpp"
#include "packager/media/track_format.hpp"
#include "server/ingest/ts/annexb.hpp"
#include "server/ingest/ts/clock.hpp"

namespace lookback::server::ts {
namespace {

constexpr std::size_t max_nal_units = 4'096, length_bytes = 4;

/// No decoder holds pictures back for longer.
constexpr std::int64_t max_composition_ticks = 10 * std::int64_t{clock_hz};

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

/// Whether an SEI NAL unit has a recovery point message (D.1.8).
bool has_recovery_point(ByteSpan nal_unit) {
  constexpr unsigned recovery_point = 6;
  constexpr std::size_t enough = 1'024;  // pictures of a few kilobytes may hide in SEI: captions, time codes
  const auto rbsp =
      packager::without_emulation_prevention(nal_unit.subspan(1, std::min(nal_unit.size() - 1, enough)));
  const auto number = [&rbsp](std::size_t& at) {
    std::size_t value = 0;
    for (; at < rbsp.size(); ++at) {
      const auto byte = std::to_integer<std::size_t>(rbsp[at]);
      value += byte;
      if (byte != 0xff) break;
    }
    ++at;
    return value;
  };
  for (std::size_t at = 0; at + 2 < rbsp.size();) {
    const auto type = number(at), size = number(at);
    if (type == recovery_point) return at <= rbsp.size();
    at += size;
  }
  return false;
}

}  // namespace

void AvcStream::take(const TimedUnit& unit, std::vector<IngestEvent>& out) {
  Picture picture;
  const auto composition = unit.pts - unit.dts;
  if (!unit.timed || composition < 0 || composition > max_composition_ticks ||
      !split(unit.payload, picture)) {
    ++counts_.damaged_units;
    return;
  }
  picture.sync = picture.sync || (unit.random_access && picture.has_sps);
  settle_parameters(picture.sync, out);
  if (!picture.has_slice) return;
  if (record_.empty()) {
    ++counts_.early_units;
    return;
  }
  ++counts_.video_frames;
  const auto dts_us = ticks_to_us(unit.dts);
  out.emplace_back(
      packager::SourceSample{.kind = packager::MediaKind::video,
                             .dts_us = dts_us,
                             .composition_us = static_cast<std::int32_t>(ticks_to_us(unit.pts) - dts_us),
                             .sync = picture.sync,
                             .payload = joined()});
}

bool AvcStream::split(ByteSpan payload, Picture& picture) {
  units_.clear();
  sets_.clear();
  while (const auto nal_unit = take_nal_unit(payload)) {
    if (nal_unit->empty()) continue;
    if (units_.size() + sets_.size() == max_nal_units) return false;
    const auto header = std::to_integer<unsigned>(nal_unit->front());
    if (header & 0x80) return false;  // forbidden_zero_bit
    switch (const auto type = header & 0x1f) {
      case sps:
      case pps:
        picture.has_sps = picture.has_sps || type == sps;
        sets_.push_back(*nal_unit);
        continue;
      case delimiter:
      case end_of_sequence:
      case end_of_stream:
      case filler:
        continue;
      default:
        picture.has_slice = picture.has_slice || (type >= slice && type <= idr_slice);
        picture.sync = picture.sync || type == idr_slice || (type == sei && has_recovery_point(*nal_unit));
        units_.push_back(*nal_unit);
    }
  }
  return true;
}

/// Takes the picture's parameter sets, or leaves those that differ in its sample. Announces a new format.
void AvcStream::settle_parameters(bool sync, std::vector<IngestEvent>& out) {
  const bool may_change = sync || record_.empty();
  std::vector<ByteSpan> kept;
  for (const auto set : sets_) {
    const auto change = may_change ? parameters_.put(set) : parameters_.look(set);
    if (change == AvcParameters::Change::refused) ++counts_.damaged_units;
    if (change == AvcParameters::Change::changed && !may_change) kept.push_back(set);
  }
  units_.insert(units_.begin(), kept.begin(), kept.end());
  if (!may_change || sets_.empty() || !parameters_.complete()) return;
  auto record = parameters_.record();
  if (record == record_) return;
  auto format = packager::parse_avc_config(record);
  if (!format) {
    ++counts_.damaged_units;
    return;
  }
  record_ = std::move(record);
  out.emplace_back(FormatChange{std::move(*format)});
}

Slice AvcStream::joined() const {
  std::size_t size = 0;
  for (const auto unit : units_) size += length_bytes + unit.size();
  std::vector<std::byte> bytes;
  bytes.reserve(size);
  for (const auto unit : units_) {
    for (unsigned shift = 32; shift > 0; shift -= 8) {
      bytes.push_back(static_cast<std::byte>(unit.size() >> (shift - 8)));
    }
    bytes.insert(bytes.end(), unit.begin(), unit.end());
  }
  return make_slice(std::move(bytes));
}

}  // namespace lookback::server::ts
