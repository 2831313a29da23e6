#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "packager/media/sample.hpp"
#include "packager/media/track_format.hpp"

namespace lookback::packager {

/// Puts one session's samples on the stream's timeline: never trusts the source's zero or order.
/// Stream time of a *presentation* instant is `origin_us` plus its distance from the first sync video
/// sample (or the first audio sample when there is no video). Video DTS are shifted by the track's first sync
/// sample's composition offset, so that with B-frames the first PTS equals the first tfdt and offsets may be
/// negative (no edit list; rule: trun version 1); renditions whose key pictures are shown at the same instant
/// so get equal tfdt, however they reorder. A track whose clock agrees with the others' shares their zero;
/// one whose clock does not is placed by its arrival. Audio counts whole frames and follows the source's
/// clock slowly, so that millisecond timestamps do not jitter into durations. Belongs to its stream's strand.
class SessionTimeline {
 public:
  struct Options {
    std::int64_t jump_us = 3'000'000;   ///< a step of this size in a track's clock is a break
    std::int64_t apart_us = 3'000'000;  ///< tracks whose clocks are further apart get origins of their own
    std::int64_t resync_us = 60'000;    ///< audio further off the source's clock than this is set anew
  };
  enum class Outcome {
    placed,   ///< the sample is on the timeline
    dropped,  ///< it lies before the start, or before what was placed already
    jump,     ///< the source's clock jumped: end this session's timeline and start another
  };

  SessionTimeline(Options options, std::int64_t origin_us, const std::vector<TrackFormat>& formats);

  /// A track that joins; its index is the number of those before it.
  void add(const TrackFormat& format);
  /// The track whose clock may not have a hole: its segments are the others' measure. A hole of another one
  /// is no jump as long as its clock agrees with theirs.
  void set_lead(std::size_t track) { lead_ = track; }

  /// `arrival_us` is the time since the session's first sample arrived. On `placed`, `out` has dts,
  /// composition, sync and payload; its duration is still 0.
  Outcome place(std::size_t track, const SourceSample& source, std::int64_t arrival_us, Sample& out);

  /// Stream time of a presentation instant of the source, in microseconds. Empty: nothing is placed yet.
  std::optional<std::int64_t> media_us(std::int64_t source_us) const {
    if (!common_zero_us_) return std::nullopt;
    return origin_us_ + source_us - *common_zero_us_;
  }

 private:
  struct Clock {
    std::uint32_t timescale = 0;
    MediaKind kind = MediaKind::video;
    Ticks frame = 0;                      ///< audio: ticks per frame; video: 0
    std::optional<std::int64_t> zero_us;  ///< source time that is `origin_us`
    std::int64_t reorder_us = 0;          ///< video: PTS - DTS of the first sync sample
    std::int64_t last_source_us = 0;
    Ticks next = 0;  ///< audio: where the next frame belongs
    Ticks last = 0;
    bool started = false;
  };

  bool jumps(const Clock& clock, const SourceSample& source) const;
  void start(Clock& clock, const SourceSample& source, std::int64_t arrival_us);
  Outcome place_video(Clock& clock, const SourceSample& source, Sample& out);
  Outcome place_audio(Clock& clock, const SourceSample& source, Sample& out);

  Options options_;
  std::int64_t origin_us_;
  std::vector<Clock> clocks_;  ///< of the session's tracks
  std::size_t lead_ = 0;
  std::optional<std::int64_t> common_zero_us_;  ///< shared by tracks whose clocks agree
  bool has_video_ = false;
};

}  // namespace lookback::packager
