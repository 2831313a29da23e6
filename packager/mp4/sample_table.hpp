#pragma once
#include <cstdint>
#include <vector>

#include "packager/media/sample.hpp"

namespace lookback::packager {

/// A stored sample without its bytes.
struct TableSample {
  std::uint32_t duration = 0;    ///< ticks, > 0
  std::uint32_t size_bytes = 0;  ///< of its payload
  std::int32_t composition = 0;  ///< PTS - DTS, ticks
  bool sync = false;
  bool operator==(const TableSample&) const = default;
};

/// Samples whose payloads follow each other without a hole: those of one part.
struct TableChunk {
  std::uint32_t offset = 0;  ///< of the first payload, in the segment
  std::uint32_t samples = 0;
  bool operator==(const TableChunk&) const = default;
};

/// One segment's samples, in decode order and without holes. Reused from segment to segment, so that the
/// vectors keep their memory.
struct SampleTable {
  Ticks start = 0;  ///< dts of the first sample
  Ticks end = 0;    ///< dts of the last sample and its duration
  std::vector<TableChunk> chunks;
  std::vector<TableSample> samples;

  void clear() {
    start = end = 0;
    chunks.clear();
    samples.clear();
  }
};

}  // namespace lookback::packager
