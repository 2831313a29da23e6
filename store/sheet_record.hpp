#pragma once
#include <bitset>
#include <compare>
#include <cstdint>
#include <string>

#include "store/base/result.hpp"
#include "store/extent_record.hpp"
#include "store/records.hpp"

namespace lookback::store {

/// Cells of a sprite sheet: ten rows of ten.
inline constexpr std::size_t sheet_cells = 100;
/// The track of extents that hold a sheet: no track of media has this number.
inline constexpr TrackId sheet_track = 64;
inline constexpr std::size_t max_sheet_bytes = 16u << 20;

/// Names a sheet: number n has the pictures of the wall clock from n * 100 * interval on.
struct SheetKey {
  StreamId stream = 0;
  std::uint32_t width = 0;        ///< of a cell, pixels
  std::uint32_t interval_ms = 0;  ///< from one cell to the next
  std::uint64_t number = 0;
  auto operator<=>(const SheetKey&) const = default;
};

/// A sprite sheet that is full: a picture file in an extent of its own. Never changed once it is stored.
struct SheetRecord {
  SheetKey key;
  std::uint64_t first_msn = 0,
                last_msn = 0;             ///< of the segments whose pictures it shows: it stays as they do
  std::int64_t start_us = 0, end_us = 0;  ///< wall clock (Unix us) of those segments
  std::bitset<sheet_cells> cells;         ///< those that have a picture; the others are black
  std::uint64_t extent = 0;               ///< set by the store, as what follows
  std::uint64_t offset = 0;               ///< in the extent file
  std::uint32_t size_bytes = 0;
  std::uint32_t crc32c = 0;
  bool operator==(const SheetRecord&) const = default;
};

std::string encode(const SheetRecord& record);
/// Errors: damaged.
Result<SheetRecord> decode_sheet(ByteSpan bytes);

/// Key of its record, and of the entry by which the extent's number leads there (FORMAT.md, "Index").
std::string sheet_key(const SheetKey& key);
std::string sheet_extent_key(StreamId stream, std::uint64_t extent);
/// Keys of all records of a stream begin with this.
std::string sheets_prefix(StreamId stream);

/// The record of the extent that holds `sheet`. `size_bytes`: of the file.
ExtentRecord extent_of(const SheetRecord& sheet, std::uint64_t size_bytes);

}  // namespace lookback::store
