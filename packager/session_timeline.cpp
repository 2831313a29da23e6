#include "packager/session_timeline.hpp"

#include <algorithm>
#include <cstdlib>

#include "packager/media/ticks.hpp"

namespace lookback::packager {

SessionTimeline::SessionTimeline(Options options, std::int64_t origin_us,
                                 const std::vector<TrackFormat>& formats)
    : options_(options), origin_us_(origin_us) {
  for (const auto& format : formats) add(format);
}

void SessionTimeline::add(const TrackFormat& format) {
  Clock clock;
  clock.timescale = format.timescale;
  clock.kind = format.kind;
  clock.frame = format.kind == MediaKind::audio ? format.samples_per_frame : 0;
  if (format.kind == MediaKind::video) has_video_ = true;
  clocks_.push_back(clock);
}

SessionTimeline::Outcome SessionTimeline::place(std::size_t track, const SourceSample& source,
                                                std::int64_t arrival_us, Sample& out) {
  auto& clock = clocks_[track];
  const bool is_video = clock.kind == MediaKind::video;
  if (has_video_ && !common_zero_us_ && !(is_video && source.sync)) return Outcome::dropped;
  if (!clock.zero_us) {
    if (is_video && !source.sync) return Outcome::dropped;
    start(clock, source, arrival_us);
  } else if (jumps(clock, source)) {
    return Outcome::jump;
  }
  clock.last_source_us = source.dts_us;
  out.sync = source.sync;
  out.duration = 0;
  out.payload = source.payload;
  return is_video ? place_video(clock, source, out) : place_audio(clock, source, out);
}

bool SessionTimeline::jumps(const Clock& clock, const SourceSample& source) const {
  const auto is_near = [&](const Clock& other) {
    return std::llabs(source.dts_us - other.last_source_us) <= options_.jump_us;
  };
  if (is_near(clock)) return false;
  if (&clock == &clocks_[lead_]) return true;
  const auto agrees = [&](const Clock& other) {
    return &other != &clock && other.zero_us == clock.zero_us && is_near(other);
  };
  return std::none_of(clocks_.begin(), clocks_.end(), agrees);
}

void SessionTimeline::start(Clock& clock, const SourceSample& source, std::int64_t arrival_us) {
  const auto pts_us = source.dts_us + source.composition_us;
  if (clock.kind == MediaKind::video) clock.reorder_us = source.composition_us;
  if (!common_zero_us_) common_zero_us_ = pts_us;
  const bool agrees = std::llabs(pts_us - *common_zero_us_ - arrival_us) <= options_.apart_us;
  clock.zero_us = agrees ? *common_zero_us_ : pts_us - arrival_us;
}

SessionTimeline::Outcome SessionTimeline::place_video(Clock& clock, const SourceSample& source, Sample& out) {
  const auto shifted_us = origin_us_ + source.dts_us + clock.reorder_us - *clock.zero_us;
  const auto pts = to_ticks(shifted_us - clock.reorder_us + source.composition_us, clock.timescale);
  auto dts = to_ticks(shifted_us, clock.timescale);
  // A source that repeats or steps back a little: decode order stays, the presentation time is kept.
  if (clock.started && dts <= clock.last) dts = clock.last + 1;
  clock.last = dts;
  clock.started = true;
  out.dts = dts;
  out.composition = static_cast<std::int32_t>(pts - dts);
  return Outcome::placed;
}

SessionTimeline::Outcome SessionTimeline::place_audio(Clock& clock, const SourceSample& source, Sample& out) {
  const auto wanted =
      to_ticks(origin_us_ + source.dts_us + source.composition_us - *clock.zero_us, clock.timescale);
  if (!clock.started) {
    clock.next = wanted;
    clock.started = true;
  }
  const auto error = wanted - clock.next;
  const auto error_us = to_us(error, clock.timescale);
  if (error_us < -options_.resync_us) return Outcome::dropped;  // overlaps what is there
  if (error_us > options_.resync_us) {
    clock.next = wanted;  // a hole in the source stays a hole
  } else if (std::llabs(error_us) > 2'000) {
    clock.next += error / 64;  // rounding to milliseconds stays below 2 ms; more is drift
  }
  out.dts = clock.next;
  out.composition = 0;
  clock.next += source.ticks != 0 ? Ticks{source.ticks} : clock.frame;
  clock.last = out.dts;
  return Outcome::placed;
}

}  // namespace lookback::packager
