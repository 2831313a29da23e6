#include "packager/hls/gap_fill.hpp"

#include <algorithm>

#include "packager/hls/text.hpp"

namespace lookback::packager::hls {

std::optional<std::vector<store::SegmentRecord>> fill_gap(const TrackContext& track,
                                                          const SegmentEntry& previous,
                                                          std::uint64_t previous_msn,
                                                          const store::SegmentRecord& next) {
  constexpr std::uint64_t max_missing = 43'200;  // a day of two-second segments
  if (next.msn <= previous_msn) return {};
  const auto missing = next.msn - previous_msn - 1;
  const std::uint32_t own_tag = next.discontinuity && next.discontinuity_sequence > 0 ? 1 : 0;
  const auto tags = std::int64_t{next.discontinuity_sequence} - own_tag - previous.discontinuity_sequence;
  if (tags < 0 || static_cast<std::uint64_t>(tags) > missing || missing > max_missing) return {};
  std::vector<store::SegmentRecord> gaps;
  if (missing == 0) return gaps;

  const auto begin = previous.start + previous.duration;
  const auto time = next.start - begin;
  const auto count = static_cast<std::int64_t>(missing);
  const auto longest = (std::int64_t{track.timing.target_duration_s} * 2 + 1) * track.timescale / 2 - 1;
  if (time < count || (time + count - 1) / count > longest) return {};
  const auto pdt_us =
      previous.pdt_us + to_us(begin, track.timescale) - to_us(previous.start, track.timescale);
  const auto at = [&](std::int64_t i) { return begin + time / count * i + time % count * i / count; };
  for (std::int64_t i = 0; i < count; ++i) {
    store::SegmentRecord gap;
    gap.msn = previous_msn + 1 + static_cast<std::uint64_t>(i);
    gap.start = at(i);
    gap.duration = static_cast<std::uint32_t>(at(i + 1) - at(i));
    gap.pdt_us = pdt_us + to_us(at(i), track.timescale) - to_us(begin, track.timescale);
    gap.discontinuity = i < tags;
    gap.discontinuity_sequence =
        previous.discontinuity_sequence + static_cast<std::uint32_t>(std::min(i + 1, tags));
    gap.gap = gap.complete = true;
    gaps.push_back(gap);
  }
  return gaps;
}

}  // namespace lookback::packager::hls
