#include "server/live/stored_window.hpp"

#include <algorithm>
#include <optional>

#include "packager/media/ticks.hpp"

namespace lookback::server {
namespace {

/// A session's last segment may be short, and many sessions may follow each other: beyond these a playlist is
/// short all the same.
constexpr std::uint64_t first_step = 4, most_segments = 256;

/// Media that the track with the least of it lists; tracks without any are not listed.
std::optional<std::int64_t> shortest_us(const store::Window& window) {
  std::optional<std::int64_t> shortest;
  for (const auto& track : window.tracks) {
    if (track.segments.empty()) continue;
    std::int64_t ticks = 0;
    for (const auto& segment : track.segments) ticks += segment.complete ? segment.duration : 0;
    const auto us = packager::to_us(ticks, track.track.timescale);
    shortest = std::min(shortest.value_or(us), us);
  }
  return shortest;
}

std::uint64_t newest_msn(const store::Window& window) {
  std::uint64_t newest = 0;
  for (const auto& track : window.tracks)
    if (!track.segments.empty()) newest = std::max(newest, track.segments.back().msn);
  return newest;
}

}  // namespace

Result<store::Window> load_listed(store::Store& store, const store::StreamRecord& record,
                                  std::int64_t from_us) {
  auto window = store.load_window(record.id, from_us);
  if (window && !shortest_us(*window)) window = store.load_newest(record.id);
  if (!window) return window;
  const auto least_us = std::int64_t{record.target_duration_s} * 3 * 1'000'000;
  const auto end = newest_msn(*window) + 1;
  for (auto count = first_step; count <= most_segments; count *= 2) {
    const auto listed_us = shortest_us(*window);
    if (!listed_us || *listed_us >= least_us) break;
    window = store.load_range(record.id, end - std::min(count, end), UINT64_MAX);
    if (!window || count >= end) break;
  }
  return window;
}

}  // namespace lookback::server
