#include "server/pictures/sheet_plan.hpp"

#include <algorithm>

#include "store/base/crc32c.hpp"
#include "store/wire.hpp"

namespace lookback::server::pictures {
namespace {

/// Longer than a publisher may be silent before it is cut off.
constexpr std::int64_t late_us = 120'000'000;

bool has_key_picture(const store::SegmentRecord& segment) {
  return segment.complete && !segment.gap && segment.sync_bytes > 0;
}

/// One track's key pictures, into the cells that have none yet, or the same segment.
void take(SheetPlan& plan, const store::Window::Track& track, std::int64_t start_us, std::int64_t interval_us,
          std::uint32_t end_cell) {
  for (const auto& segment : track.segments) {
    if (!has_key_picture(segment) || segment.pdt_us < start_us) continue;
    const auto cell = (segment.pdt_us - start_us) / interval_us;
    if (cell >= static_cast<std::int64_t>(end_cell)) break;
    auto [at, is_new] = plan.cells.try_emplace(static_cast<std::uint16_t>(cell));
    auto& pictures = at->second;
    if (is_new) {
      pictures.msn = segment.msn;
      pictures.pdt_us = segment.pdt_us;
      pictures.discontinuity_sequence = segment.discontinuity_sequence;
    }
    if (pictures.msn == segment.msn) pictures.renditions.push_back({track.track.name, {segment, {}}});
  }
}

void measure(SheetPlan& plan, const store::Window& window) {
  bool first = true;
  for (const auto& [cell, pictures] : plan.cells) {
    plan.first_msn = first ? pictures.msn : std::min(plan.first_msn, pictures.msn);
    plan.last_msn = std::max(plan.last_msn, pictures.msn);
    plan.start_us = first ? pictures.pdt_us : std::min(plan.start_us, pictures.pdt_us);
    first = false;
  }
  for (const auto& track : window.tracks) {
    for (const auto& segment : track.segments) {
      if (segment.msn == plan.last_msn)
        plan.end_us = std::max(plan.end_us, store::end_pdt_us(segment, track.track.timescale));
    }
  }
}

}  // namespace

SheetName::Open SheetPlan::open() const {
  store::Encoder out;
  for (const auto& [cell, pictures] : cells) out.varint(cell).varint(pictures.msn);
  const auto bytes = out.take();
  return {cells.empty() ? 0 : cells.rbegin()->first + 1u, crc32c(as_bytes(bytes))};
}

std::int64_t sheet_start_us(std::uint64_t number, std::uint32_t interval_ms) {
  constexpr std::uint64_t latest_ms = 1'000'000'000'000'000;  // the year 33658: microseconds still fit
  const auto sheet_ms = std::uint64_t{interval_ms} * store::sheet_cells;
  if (sheet_ms == 0) return 0;
  return static_cast<std::int64_t>(std::min(number, latest_ms / sheet_ms) * sheet_ms * 1'000);
}

Result<SheetPlan> plan_sheet(store::Store& store, store::StreamId stream, std::uint32_t interval_ms,
                             std::uint64_t number, std::uint32_t end_cell) {
  const auto start_us = sheet_start_us(number, interval_ms);
  auto window = store.load_window(stream, start_us, sheet_end_us(number, interval_ms));
  if (!window) return window.error();
  SheetPlan plan;
  for (const auto& track : window->tracks) {
    if (track.track.name.starts_with('v'))
      take(plan, track, start_us, std::int64_t{interval_ms} * 1'000, end_cell);
  }
  measure(plan, *window);
  return plan;
}

bool is_settled(std::int64_t end_us, std::optional<std::int64_t> newest_us, std::int64_t now_us) {
  return (newest_us && *newest_us >= end_us) || now_us >= end_us + late_us;
}

}  // namespace lookback::server::pictures
