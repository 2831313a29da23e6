#pragma once
#include <fstream>
#include <limits>

#include "tests/store/power_cut.hpp"
#include "tests/support/eventually.hpp"

/// What the tests of recordings and retention share.
namespace lookback::store::test {

using support::eventually;

inline RecordingRecord recording_of(StreamId stream, std::uint64_t first, std::uint64_t end,
                                    std::string id = "abcdefghij01") {
  RecordingRecord recording;
  recording.id = std::move(id);
  recording.stream = stream;
  recording.name = "a recording";
  recording.created_us = recording.start_us = epoch_us;
  recording.end_us = std::numeric_limits<std::int64_t>::max();
  recording.first_msn = first;
  recording.end_msn = end;
  return recording;
}

/// Wall clock at which segment `msn` of the fixture ends.
inline std::int64_t end_of(std::uint64_t msn) {
  return epoch_us + static_cast<std::int64_t>(msn + 1) * segment_us;
}

inline std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to) {
  std::vector<std::uint64_t> out;
  for (; from < to; ++from) out.push_back(from);
  return out;
}

inline std::vector<std::uint64_t> msns_of(const Window& window) {
  std::vector<std::uint64_t> out;
  for (const auto& segment : window.tracks.at(0).segments) out.push_back(segment.msn);
  return out;
}

inline std::vector<std::uint64_t> stored(Store& store, StreamId stream) {
  const auto window = store.load_window(stream, 0);
  REQUIRE(window.has_value());
  return msns_of(*window);
}

inline std::size_t count_files(const std::filesystem::path& store) {
  using Files = std::filesystem::directory_iterator;
  return static_cast<std::size_t>(std::distance(Files(store / "extents"), Files()));
}

/// Two segments to an extent.
inline Options small_extents(const std::filesystem::path& path) {
  auto options = options_at(path);
  options.extent_duration = std::chrono::seconds(4);
  options.sync_interval = std::chrono::milliseconds(5);
  return options;
}

inline Append gap_append(StreamId stream, std::uint64_t msn) {
  auto gap = part_append(stream, msn, parts_per_segment - 1);
  gap.bytes.clear();
  gap.segment.parts.clear();
  gap.segment.gap = true;
  return gap;
}

}  // namespace lookback::store::test
