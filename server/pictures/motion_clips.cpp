#include "server/pictures/motion_clips.hpp"

#include <algorithm>
#include <chrono>

#include "server/pictures/key_picture.hpp"

namespace lookback::server::pictures {
namespace {

using archive::TimeRange;
using std::chrono::microseconds;

std::int64_t floor_to(std::int64_t value, std::int64_t unit) {
  const auto rest = value % unit;
  return value - (rest < 0 ? rest + unit : rest);
}

}  // namespace

std::optional<TimeRange> stored_video(const packager::hls::Presentation& presentation) {
  const auto* lead = video_of(presentation);
  if (!lead) return {};
  const auto first = lead->time_of(lead->first_msn()), last = lead->time_of(*lead->last_msn());
  if (!first || !last) return {};
  return TimeRange{first->pdt_us, last->end_us()};
}

std::vector<TimeRange> motion_clips(const packager::hls::Presentation& presentation,
                                    const MotionClipSettings& settings, const TimeRange& range,
                                    std::size_t most) {
  std::vector<TimeRange> clips;
  const auto stored = stored_video(presentation);
  if (!stored) return clips;
  const auto interval = microseconds(settings.interval).count(),
             duration = microseconds(settings.duration).count();
  if (interval <= 0 || duration <= 0) return clips;
  const auto& stretches = video_of(presentation)->stretches();
  auto before = INT64_MAX;  // a clip belongs to the stretch in which it begins
  for (auto stretch = stretches.rbegin(); stretch != stretches.rend(); ++stretch) {
    if (stretch->gap) continue;
    const auto last =
        std::min({stretch->end_us - 1, stored->end_us - duration, range.end_us - 1, before - 1});
    const auto first = std::max(stretch->start_us, range.start_us);
    for (auto begin = floor_to(last, interval); begin >= first; begin -= interval) {
      if (clips.size() == most) break;
      clips.push_back({begin, begin + duration});
      before = begin;
    }
  }
  std::reverse(clips.begin(), clips.end());
  return clips;
}

std::optional<TimeRange> latest_motion_clip(const packager::hls::Presentation& presentation,
                                            const MotionClipSettings& settings) {
  const auto clips = motion_clips(presentation, settings, TimeRange{INT64_MIN, TimeRange::open_end}, 1);
  if (clips.empty()) return {};
  return clips.front();
}

}  // namespace lookback::server::pictures
