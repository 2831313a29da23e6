#include "packager/hls/media_state.hpp"

#include <algorithm>

namespace lookback::packager::hls {

std::int64_t part_hold_back_us(const Timing& timing) { return std::int64_t{timing.part_target_us} * 3; }

std::int64_t skip_boundary_us(const Timing& timing) {
  return std::max(std::int64_t{timing.target_duration_s} * 6'000'000, part_hold_back_us(timing));
}

PartId MediaState::hinted() const {
  if (!open) return {next_msn, 0};
  return {open->msn, static_cast<std::uint32_t>(open->parts.size())};
}

std::optional<PartId> MediaState::last_part() const {
  if (open && !open->parts.empty())
    return PartId{open->msn, static_cast<std::uint32_t>(open->parts.size() - 1)};
  if (empty()) return {};
  const auto* newest = find_recent(next_msn - 1);
  const auto count = newest ? newest->parts.size() : 0;
  return PartId{next_msn - 1, count == 0 ? 0 : static_cast<std::uint32_t>(count - 1)};
}

const SegmentEntry* MediaState::find(std::uint64_t msn) const {
  if (msn >= next_msn) return nullptr;
  if (msn >= edge_msn()) return &(*edge)[msn - edge_msn()];
  if (blocks->empty() || msn < blocks->front()->first_msn()) return nullptr;
  const auto place = msn - blocks->front()->first_msn();
  return &(*blocks)[place / Block::size]->entries()[place % Block::size];
}

const EdgeSegment* MediaState::find_recent(std::uint64_t msn) const {
  if (open && open->msn == msn) return open.get();
  if (recent.empty() || msn < recent.front()->msn || msn > recent.back()->msn) return nullptr;
  return recent[msn - recent.front()->msn].get();
}

}  // namespace lookback::packager::hls
