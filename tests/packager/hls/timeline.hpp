#pragma once
#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "packager/hls/rendition_builder.hpp"

namespace lookback::test {

/// A publisher and its segmenter, drawn at random: frames at an exact rate, GOPs of any length, segments cut
/// at the first sync sample after two seconds or at 2.499 s, parts up to the part target, breaks and gaps.
/// Gives one part at a time, as the store does.
class Timeline {
 public:
  struct Options {
    std::uint32_t fps_num = 30, fps_den = 1;
    std::uint32_t timescale = 90'000;
    packager::hls::Timing timing;
    std::int64_t longest_gop_us = 4'000'000;
    unsigned breaks_per_1000 = 0;  ///< segments that start after a break, some with a new init
    unsigned gaps_per_1000 = 0;    ///< segments that are gaps
    unsigned seed = 1;
  };
  struct Step {
    store::SegmentRecord record;
    Chain bytes;
  };

  explicit Timeline(Options options) : options_(options), random_(options.seed) { begin(); }

  /// The record with its newest part; `record.complete` with the last one.
  Step next() {
    if (segment_.complete) begin();
    return segment_.gap ? gap() : part();
  }

  /// Complete segments only, without bytes: what a store holds.
  std::vector<store::SegmentRecord> segments(std::size_t count) {
    std::vector<store::SegmentRecord> all;
    while (all.size() < count)
      if (auto step = next(); step.record.complete) all.push_back(std::move(step.record));
    return all;
  }

  const Options& options() const { return options_; }

 private:
  bool chance(unsigned per_1000) { return random_() % 1000 < per_1000; }
  std::int64_t ticks(std::int64_t us) const { return us * options_.timescale / 1'000'000; }
  std::int64_t frame_at(std::int64_t index) const {
    return origin_ + index * options_.timescale * options_.fps_den / options_.fps_num;
  }

  void begin() {
    const auto previous = segment_;
    segment_ = {};
    segment_.msn = previous.msn + 1;
    segment_.init_id = previous.init_id == 0 ? 1 : previous.init_id;
    segment_.discontinuity_sequence = previous.discontinuity_sequence;
    segment_.start = previous.complete ? previous.start + previous.duration : 0;
    segment_.pdt_us = previous.complete ? previous.pdt_us + packager_us(previous) : start_of_time;
    if (previous.complete && chance(options_.breaks_per_1000)) break_timeline();
    segment_.gap = previous.complete && chance(options_.gaps_per_1000);
    segment_.extent = 1;
    segment_.offset = offset_;
    if (previous.gap || segment_.discontinuity || !previous.complete) restart_frames();
  }

  std::int64_t packager_us(const store::SegmentRecord& segment) const {
    return segment.duration * std::int64_t{1'000'000} / options_.timescale;
  }

  void break_timeline() {
    const std::int64_t pause_us = 1 + static_cast<std::int64_t>(random_() % 60'000'000);
    segment_.discontinuity = true;
    ++segment_.discontinuity_sequence;
    segment_.start += ticks(pause_us);
    segment_.pdt_us += pause_us;
    if (chance(500)) ++segment_.init_id;
  }

  void restart_frames() {
    origin_ = segment_.start;
    frame_ = next_sync_ = 0;
  }

  Step gap() {
    segment_.duration =
        static_cast<std::uint32_t>(ticks(1'000'000 + static_cast<std::int64_t>(random_() % 1'400'000)));
    segment_.complete = true;
    return {segment_, {}};
  }

  void plan_gop() {
    const auto frames = options_.longest_gop_us * options_.fps_num / options_.fps_den / 1'000'000;
    next_sync_ =
        frame_ + 1 +
        static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(std::max<std::int64_t>(frames, 1)));
  }

  /// Frames until the part or its segment must end.
  Step part() {
    store::PartRecord part;
    const auto part_start = frame_at(frame_);
    for (bool first = true;; first = false) {
      const auto end = frame_at(frame_ + 1);
      const auto sync = frame_ == next_sync_;
      if (!first && segment_must_end(end, sync)) {
        segment_.complete = true;
        break;
      }
      if (!first && end - part_start > ticks(options_.timing.part_target_us)) break;
      if (first) part.independent = sync;
      if (sync) plan_gop();
      ++frame_;
    }
    part.duration = static_cast<std::uint32_t>(frame_at(frame_) - part_start);
    // A part that ends exactly where the segment does is its last.
    if (!segment_.complete) segment_.complete = segment_must_end(frame_at(frame_ + 1), frame_ == next_sync_);
    return grow(part);
  }

  bool segment_must_end(std::int64_t end, bool sync) const {
    const auto begin = segment_.start;
    const auto target = ticks(options_.timing.target_duration_s * std::int64_t{1'000'000});
    return (sync && frame_at(frame_) - begin >= target) || end - begin > target + ticks(499'000);
  }

  Step grow(store::PartRecord part) {
    const auto text = "part " + std::to_string(segment_.msn) + "." + std::to_string(segment_.parts.size()) +
                      std::string(random_() % 200, '.');
    part.size_bytes = static_cast<std::uint32_t>(text.size());
    // The first sample of a part that starts with a sync sample ends somewhere inside the part.
    if (segment_.parts.empty() && part.independent) segment_.sync_bytes = 1 + part.size_bytes / 2;
    segment_.parts.push_back(part);
    segment_.duration += part.duration;
    segment_.size_bytes += part.size_bytes;
    offset_ += part.size_bytes;
    return {segment_, {make_slice(text)}};
  }

  static constexpr std::int64_t start_of_time = 1'790'000'000'123'456;  // some day in 2026

  Options options_;
  std::mt19937 random_;
  store::SegmentRecord segment_;
  std::int64_t origin_ = 0, frame_ = 0, next_sync_ = 0;
  std::uint64_t offset_ = 0;
};

inline packager::hls::RenditionBuilder::Options builder_options(const Timeline::Options& timeline,
                                                                std::int64_t window_us) {
  packager::hls::RenditionBuilder::Options options;
  options.timing = timeline.timing;
  options.generation = "k3f9";
  options.track = "v0";
  options.media_prefix = "/live/news/";
  options.kind = packager::MediaKind::video;
  options.timescale = timeline.timescale;
  options.window_us = window_us;
  return options;
}

inline std::string text_of(const packager::hls::Rendered& rendered) {
  std::string text;
  for (const auto& slice : rendered.body) text.append(slice.text());
  return text;
}

inline std::string playlist(const packager::hls::Rendition& rendition, bool delta = false) {
  return text_of(rendition.playlist(delta, packager::hls::Coding::identity, ""));
}

}  // namespace lookback::test
