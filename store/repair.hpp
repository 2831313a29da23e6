#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>

#include "store/base/result.hpp"
#include "store/options.hpp"
#include "store/verify.hpp"

/// Makes the index of a store anew from what stands beside it (FORMAT.md, "To rebuild the index").
namespace lookback::store {

struct RepairReport {
  std::uint64_t streams = 0, tracks = 0, inits = 0, recordings = 0;
  std::uint64_t extents = 0;           ///< with segments or a sheet in them
  std::uint64_t extents_unusable = 0;  ///< set aside as NAME.damaged
  std::uint64_t headers_mended = 0;
  std::uint64_t segments = 0;  ///< with media
  std::uint64_t gaps = 0;
  std::uint64_t segments_damaged = 0;  ///< of the gaps: those whose bytes do not match their checksums
  std::uint64_t sheets = 0;            ///< sprite sheets
  std::uint64_t bytes = 0;             ///< of extents read
  std::filesystem::path old_index;     ///< where it is now; empty: there was none
  std::chrono::milliseconds elapsed{0};
};

/// Nobody has the store open meanwhile. The new index is put in place when it is whole: an interrupted repair
/// is begun again. Blocking. Errors: in_use, newer_format, not_a_store, read_only, reserve_reached, io_error;
/// said in words to `log`.
Result<RepairReport> repair(const std::filesystem::path& path, const Log& log, const Progress& progress);

}  // namespace lookback::store
