#include "packager/hls/edge_segment.hpp"

#include <algorithm>

namespace lookback::packager::hls {
namespace {

/// A gap is listed in parts of the part target, so that low-latency players walk over it
/// (rfc8216bis 4.4.4.9).
std::vector<store::PartRecord> gap_parts(const TrackContext& track, std::uint32_t duration) {
  constexpr std::uint64_t max_parts = 1'000;
  const auto target = std::uint64_t{track.timing.part_target_us} * track.timescale / 1'000'000;
  const auto ticks = std::max({target, duration / max_parts + 1, std::uint64_t{1}});
  std::vector<store::PartRecord> parts;
  for (std::uint64_t left = duration; left > 0; left -= parts.back().duration)
    parts.push_back({.duration = static_cast<std::uint32_t>(std::min(left, ticks))});
  return parts;
}

}  // namespace

SegmentView EdgeSegment::view() const {
  SegmentView view{to_record(entry, msn), {}};
  view.record.init_id = init_id;
  if (entry.gap) return view;
  view.record.parts = parts;
  for (const auto& bytes : part_bytes) {
    if (!bytes) {
      view.bytes.clear();
      break;
    }
    view.bytes.insert(view.bytes.end(), bytes->begin(), bytes->end());
  }
  return view;
}

std::optional<PartView> EdgeSegment::part(std::uint32_t index) const {
  if (entry.gap || index >= parts.size()) return {};
  PartView view{parts[index], entry.extent, entry.offset, {}};
  for (std::uint32_t i = 0; i < index; ++i) view.offset += parts[i].size_bytes;
  if (part_bytes[index]) view.bytes = *part_bytes[index];
  return view;
}

std::shared_ptr<const EdgeSegment> make_edge_segment(const TrackContext& track,
                                                     const store::SegmentRecord& record, SegmentEntry entry,
                                                     const EdgeSegment* older, Chain bytes) {
  auto segment = std::make_shared<EdgeSegment>();
  segment->msn = record.msn;
  segment->entry = entry;
  segment->init_id = record.init_id;
  if (record.gap) {
    segment->parts = gap_parts(track, record.duration);
    return segment;
  }
  segment->parts = record.parts;
  if (older) segment->part_bytes = older->part_bytes;
  const auto grown = record.parts.size() > segment->part_bytes.size();
  segment->part_bytes.resize(record.parts.size());
  if (grown && !bytes.empty()) segment->part_bytes.back() = std::make_shared<const Chain>(std::move(bytes));
  return segment;
}

}  // namespace lookback::packager::hls
