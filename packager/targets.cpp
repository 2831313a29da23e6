#include "packager/targets.hpp"

#include <algorithm>

#include "packager/media/ticks.hpp"

namespace lookback::packager {

FirstSegment probe_first_segment(const std::vector<PlacedSample>& samples, std::size_t lead,
                                 std::uint32_t timescale, std::int64_t segment_target_us) {
  FirstSegment seen;
  const Sample* first = nullptr;
  const Sample* before = nullptr;
  for (const auto& [track, sample] : samples) {
    if (track != lead || (!first && !sample.sync)) continue;
    if (before)
      seen.longest_frame_us = std::max(seen.longest_frame_us, to_us(sample.dts - before->dts, timescale));
    if (!first) first = &sample;
    before = &sample;
    seen.span_us = to_us(sample.dts - first->dts, timescale);
    if (sample.sync && seen.span_us + seen.longest_frame_us / 2 >= segment_target_us && !seen.segment_us) {
      seen.segment_us = seen.span_us;
    }
  }
  return seen;
}

std::uint32_t target_duration_s(std::int64_t longest_segment_us) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(1, (longest_segment_us + 500'000) / 1'000'000));
}

std::int64_t part_target_us(std::int64_t wanted_us, std::int64_t longest_frame_us) {
  if (longest_frame_us <= 0) return wanted_us;
  const auto frames = std::max<std::int64_t>(1, wanted_us / longest_frame_us);
  const auto length_us = frames * longest_frame_us;
  if (length_us <= wanted_us && length_us * 100 >= wanted_us * 85) return wanted_us;
  return (length_us + 999) / 1'000 * 1'000;
}

Ticks nominal_frame(const TrackFormat& format) {
  if (format.frame_rate_num == 0 || format.frame_rate_den == 0) return format.timescale / 25;
  const auto ticks = rescale(format.frame_rate_den, format.frame_rate_num, format.timescale);
  return std::clamp<Ticks>(ticks, 1, format.timescale);
}

}  // namespace lookback::packager
