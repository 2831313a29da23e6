#include "server/ingest/ts/picture_stream.hpp"

#include <algorithm>

#include "packager/media/bit_reader.hpp"
#include "server/ingest/ts/annexb.hpp"
#include "server/ingest/ts/clock.hpp"

namespace lookback::server::ts {
namespace {

constexpr std::size_t max_nal_units = 4'096, length_bytes = 4;

/// No decoder holds pictures back for longer.
constexpr std::int64_t max_composition_ticks = 10 * std::int64_t{clock_hz};

}  // namespace

bool has_recovery_point(ByteSpan nal_unit, std::size_t header_bytes) {
  constexpr unsigned recovery_point = 6;
  constexpr std::size_t enough = 1'024;  // pictures of a few kilobytes may hide in SEI: captions, time codes
  const auto rbsp = packager::without_emulation_prevention(
      nal_unit.subspan(header_bytes, std::min(nal_unit.size() - header_bytes, enough)));
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

void PictureStream::take(const TimedUnit& unit, std::vector<IngestEvent>& out) {
  Picture picture;
  const auto composition = unit.pts - unit.dts;
  if (!unit.timed || composition < 0 || composition > max_composition_ticks ||
      !split(unit.payload, picture)) {
    ++counts_.damaged_units;
    return;
  }
  picture.sync = picture.sync || (unit.random_access && picture.has_sequence_set);
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

bool PictureStream::split(ByteSpan payload, Picture& picture) {
  units_.clear();
  sets_.clear();
  while (const auto nal_unit = take_nal_unit(payload)) {
    if (nal_unit->empty()) continue;
    if (units_.size() + sets_.size() == max_nal_units) return false;
    const auto role = role_of(*nal_unit);
    switch (role) {
      case NalRole::damaged:
        return false;
      case NalRole::left_out:
        continue;
      case NalRole::sequence_set:
      case NalRole::parameter_set:
        picture.has_sequence_set = picture.has_sequence_set || role == NalRole::sequence_set;
        sets_.push_back(*nal_unit);
        continue;
      case NalRole::picture:
      case NalRole::key_picture:
        picture.has_slice = true;
        break;
      case NalRole::supplement:
      case NalRole::key_mark:
        break;
    }
    picture.sync = picture.sync || role == NalRole::key_picture || role == NalRole::key_mark;
    units_.push_back(*nal_unit);
  }
  return true;
}

/// Takes the picture's parameter sets, or leaves those that differ in its sample. Announces a new format.
void PictureStream::settle_parameters(bool sync, std::vector<IngestEvent>& out) {
  const bool may_change = sync || record_.empty();
  auto& known = parameters();
  std::vector<ByteSpan> kept;
  for (const auto set : sets_) {
    const auto change = may_change ? known.put(set) : known.look(set);
    if (change == ParameterSets::Change::refused) ++counts_.damaged_units;
    if (change == ParameterSets::Change::changed && !may_change) kept.push_back(set);
  }
  units_.insert(units_.begin(), kept.begin(), kept.end());
  if (!may_change || sets_.empty() || !known.complete()) return;
  auto record = known.record();
  if (record == record_) return;
  auto format = parse_record(record);
  if (!format) {
    ++counts_.damaged_units;
    return;
  }
  record_ = std::move(record);
  out.emplace_back(FormatChange{std::move(*format)});
}

Slice PictureStream::joined() const {
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
