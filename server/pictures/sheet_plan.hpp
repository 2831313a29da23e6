#pragma once
#include <cstdint>
#include <map>
#include <optional>

#include "server/pictures/key_picture.hpp"
#include "server/pictures/sheet_name.hpp"
#include "store/store.hpp"

namespace lookback::server::pictures {

/// Sizes of cells: 16:9, as the pictures are laid on black.
inline std::uint32_t cell_height(std::uint32_t width) { return width * 9 / 16; }

/// Which key pictures a sheet shows, of all that the store has of its time: the first in each cell's
/// interval. Media never comes back, so a full sheet's plan can only shrink.
struct SheetPlan {
  std::map<std::uint16_t, KeyPictures> cells;  ///< by cell
  std::uint64_t first_msn = 0, last_msn = 0;   ///< of those segments
  std::int64_t start_us = 0, end_us = 0;       ///< wall clock (Unix us) of those segments

  /// The name of what there is of it; empty cells: nothing.
  SheetName::Open open() const;
};

/// Wall clock of a sheet, or of a cell's start.
std::int64_t sheet_start_us(std::uint64_t number, std::uint32_t interval_ms);
inline std::int64_t sheet_end_us(std::uint64_t number, std::uint32_t interval_ms) {
  return sheet_start_us(number + 1, interval_ms);
}

/// `end_cell`: cells from here on stay empty. Blocking: reads the records of some 15 minutes. Errors: the
/// store's.
Result<SheetPlan> plan_sheet(store::Store& store, store::StreamId stream, std::uint32_t interval_ms,
                             std::uint64_t number, std::uint32_t end_cell = store::sheet_cells);

/// No media comes any more into the time before `end_us`: what is newer is listed, or that time has passed
/// long ago (a publisher is cut off before it can be so late).
bool is_settled(std::int64_t end_us, std::optional<std::int64_t> newest_us, std::int64_t now_us);

}  // namespace lookback::server::pictures
