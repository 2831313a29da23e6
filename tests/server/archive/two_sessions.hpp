#pragma once
#include <memory>
#include <string>

#include "packager/hls/presentation_builder.hpp"
#include "packager/hls/rendition_builder.hpp"

namespace lookback::test {

/// A stream of two sessions, as a table can be read against it. Segments of 2 s, TARGETDURATION 2:
///
///     number   0 .. 14                      15 .. 29                     30 (open)
///     date     10:00:00 .. 10:00:30         10:01:00 .. 10:01:30         10:01:30, two parts of 0.5 s
///
/// on 2026-11-24. Segments 5 and 6 of the video start without a sync sample (a GOP of 6 s from 4 on), and 10
/// is a gap in the video.
class TwoSessions {
 public:
  static constexpr std::int64_t second = 1'000'000;
  static constexpr std::int64_t ten = 1'795'514'400 * second;  ///< 2026-11-24T10:00:00Z
  static constexpr std::uint64_t last = 29;

  struct Options {
    bool ended = false;
    std::int64_t window_us = std::numeric_limits<std::int64_t>::max();
    std::int64_t later_us = 0;                       ///< all dates
    std::uint64_t first = 0, audio_next = last + 1;  ///< the front of both, the end of the audio
  };

  TwoSessions() : TwoSessions(Options()) {}
  explicit TwoSessions(Options options) {
    std::vector<packager::hls::PresentationTrack> tracks;
    tracks.push_back(track("v0", options));
    tracks.push_back(track("a0", options));
    presentation = packager::hls::make_presentation("k3f9", std::move(tracks));
  }

  std::shared_ptr<const packager::hls::Presentation> presentation;

 private:
  static store::SegmentRecord segment(std::uint64_t msn, bool video, const Options& wanted) {
    const std::int64_t scale = video ? 90'000 : 48'000;
    const auto since = static_cast<std::int64_t>(msn) * 2 + (msn >= 15 ? 30 : 0);
    store::SegmentRecord record;
    record.msn = msn;
    record.start = since * scale;
    record.pdt_us = ten + since * second + wanted.later_us;
    record.duration = static_cast<std::uint32_t>(2 * scale);
    record.init_id = 1;
    record.discontinuity_sequence = msn >= 15 ? 1 : 0;
    record.discontinuity = msn == 15;
    record.complete = true;
    record.gap = video && msn == 10;
    if (record.gap) return record;
    const bool sync = !video || (msn != 5 && msn != 6);
    for (int i = 0; i < 4; ++i) {
      const auto ticks = static_cast<std::uint32_t>(scale / 2);
      record.parts.push_back(
          {.duration = ticks, .size_bytes = 1'000, .crc32c = 0, .independent = i == 0 && sync});
    }
    record.size_bytes = 4'000;
    record.sync_bytes = video && sync ? 700 : 0;
    return record;
  }

  static packager::hls::PresentationTrack track(const std::string& name, const Options& wanted) {
    const bool video = name == "v0";
    packager::hls::RenditionBuilder::Options options;
    options.timing = {.target_duration_s = 2, .part_target_us = 500'000};
    options.generation = "k3f9";
    options.track = name;
    options.media_prefix = "/live/news/";
    options.kind = video ? packager::MediaKind::video : packager::MediaKind::audio;
    options.timescale = video ? 90'000 : 48'000;
    options.window_us = wanted.window_us;
    packager::hls::RenditionBuilder builder(options);
    std::vector<store::SegmentRecord> segments;
    const auto end = video ? last + 1 : wanted.audio_next;
    for (auto msn = wanted.first; msn < end; ++msn) segments.push_back(segment(msn, video, wanted));
    builder.load(std::move(segments));
    if (!wanted.ended && end == last + 1) {
      auto open = segment(last + 1, video, wanted);
      open.complete = false;
      open.parts.resize(2);
      open.duration /= 2;
      builder.add(open, {});
    }
    builder.set_ended(wanted.ended);
    packager::TrackFormat format;
    format.kind = options.kind;
    format.codecs = video ? "avc1.64001f" : "mp4a.40.2";
    format.display_width = 640;
    format.display_height = 360;
    format.channels = 2;
    packager::hls::PresentationTrack track;
    track.format = std::make_shared<const packager::TrackFormat>(format);
    track.rendition = builder.snapshot({});
    track.rates = builder.bit_rates();
    track.iframe_rates = builder.iframe_rates();
    return track;
  }
};

}  // namespace lookback::test
