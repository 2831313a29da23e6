#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "packager/cue_book.hpp"
#include "packager/media/track_format.hpp"
#include "packager/program_clock.hpp"
#include "packager/segmenter.hpp"
#include "packager/session_timeline.hpp"
#include "packager/targets.hpp"
#include "store/store.hpp"

/// The path of a sample through the packager: `push` puts it on the stream's timeline (SessionTimeline), cuts
/// it into parts and segments (Segmenter), writes each part as a CMAF chunk (make_fragment) and gives it out
/// as a `store::Append` with the segment's record as it is now. What is fixed for a stream's life (target
/// duration, part target, track names, numbering) is decided here and given out as records to keep.
namespace lookback::packager {

/// How a stream is cut; durations in microseconds.
struct PackagerSettings {
  std::int64_t segment_us = 2'000'000;
  std::int64_t part_us = 334'000;
  std::int64_t max_segment_us = 10'000'000;  ///< longest TARGETDURATION that the first GOP may choose
  std::int64_t track_wait_us =
      1'000'000;                ///< media time to wait for other tracks before starting without them
  std::size_t max_tracks = 16;  ///< of one stream, over its whole life; others are refused
  std::size_t max_pending_samples = 4'000;  ///< before tracks and targets are known
};

/// A track that the stream has from now on.
struct NewTrack {
  store::TrackRecord record;
  MediaKind kind = MediaKind::video;
};

/// An init segment that segments from now on name.
struct NewInit {
  store::InitRecord record;
  TrackFormat format;
};

/// What the packager gives out, in the order in which it must reach the store.
using Output = std::variant<store::StreamRecord, NewTrack, NewInit, store::Append>;
using Outputs = std::vector<Output>;

/// One stream over all its sessions. Deterministic: time comes in as an argument. Belongs to its stream's
/// strand.
class StreamPackager {
 public:
  /// Takes up where `restored` (may be empty) ends. Tracks that a crash left behind the others get gaps, so
  /// that all go on with the same number: appended to `out`.
  StreamPackager(PackagerSettings settings, store::StreamRecord record, const store::Window& restored,
                 Outputs& out);

  /// All that the source brings from now on. A session begins when it has a format for each of them; those
  /// that are not named any more have ended. Without it, one track of each kind is expected. `may_grow`: more
  /// may come, and a session that begins waits for `track_wait_us`.
  void set_tracks(std::vector<SourceTrack> tracks, Outputs& out, bool may_grow = false);

  /// A codec configuration of one of the source's tracks. The first one announces the track: in mid-session
  /// it joins at a later segment. A different one ends the running segments and goes on after a
  /// discontinuity. `now_us`: wall clock, Unix us, that never steps. Errors: muxer_failed (the session cannot
  /// go on).
  Result<void> set_format(SourceTrack source, const TrackFormat& format, std::int64_t now_us, Outputs& out);
  /// Of a source with one track of each kind.
  Result<void> set_format(const TrackFormat& format, std::int64_t now_us, Outputs& out) {
    return set_format({format.kind, 0}, format, now_us, out);
  }

  /// One access unit of the running session. Errors: no_parameters, muxer_failed.
  Result<void> push(const SourceSample& sample, std::int64_t now_us, Outputs& out);

  /// A cue of the running session: it is given out with the next part of each track. Those that come much
  /// faster than parts, or lie further than an hour ahead, are counted and left out.
  void push(SourceCue cue);
  std::uint64_t dropped_cues() const { return dropped_cues_; }

  /// The publisher is gone: everything held is cut and given out. Idempotent.
  Result<void> end_session(Outputs& out);

  /// With up-to-date floors (next_msn, next_discontinuity, end_us).
  const store::StreamRecord& record() const { return record_; }
  /// Whether a sync sample of this track came that is no IDR picture: then segments are random access points,
  /// but not independent of each other (EXT-X-INDEPENDENT-SEGMENTS).
  bool open_gop(store::TrackId track) const { return track < tracks_.size() && tracks_[track].open_gop; }
  /// Whether the running session brings this track.
  bool brings(store::TrackId track) const;
  /// Breaks inside sessions so far: clock jumps and format changes.
  std::uint64_t breaks() const { return breaks_; }
  Segmenter::Counters counters() const;
  /// Frame rate of a video track over its newest complete segment, in frames per 1000 s; 0: unknown.
  std::uint32_t measured_millihertz(store::TrackId track) const;
  /// In words, once for each session: tracks that are refused, renditions that do not fit together.
  std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }

 private:
  struct Track {
    store::TrackRecord record;
    MediaKind kind = MediaKind::video;
    std::uint32_t newest_init = 0;
    std::vector<std::byte> init_bytes;
    std::optional<TrackFormat> format;         ///< of the newest init; empty: it cannot be read
    std::optional<store::SegmentRecord> open;  ///< the segment that grows now
    std::optional<std::uint64_t> newest_msn;
    std::uint32_t fragments = 0;                       ///< mfhd sequence number
    std::vector<store::DateRangeRecord> fresh_ranges;  ///< for its next part
    bool open_gop = false;
    std::uint32_t measured_millihertz = 0;
    Ticks measured_ticks = 0;
    std::int64_t measured_samples = 0;
  };
  struct SourceFormat {
    SourceTrack source;
    TrackFormat format;
  };
  /// A track of the running session.
  struct SessionTrack {
    SourceTrack source;
    TrackFormat format;
    std::size_t track = 0;  ///< index in tracks_
  };
  struct Pending {
    SourceSample sample;
    std::int64_t now_us = 0;
  };

  void restore(const store::Window& window, Outputs& out);
  void append_gap(Track& track, const store::SegmentRecord& like, std::uint32_t timescale, Outputs& out);

  bool tracks_are_known(const SourceSample& newest) const;
  Result<void> begin(Outputs& out);
  bool may_join(const TrackFormat& format) const;
  /// False: the track that it would go on in has another init: only after a discontinuity.
  Result<bool> join(const SourceFormat& format, Outputs& out);
  std::size_t add_track(const TrackFormat& format);
  void announce_init(Track& track, const TrackFormat& format, std::vector<std::byte> init);
  Segmenter::Track segmenter_track(const TrackFormat& format) const;
  std::optional<std::size_t> session_index(SourceTrack source) const;
  std::size_t lead() const { return segmenter_ ? segmenter_->lead() : 0; }
  void restart_after_break(Outputs& out);
  void note(std::string line);
  void look_for_notes();
  Result<void> run(const SourceSample& sample, std::int64_t now_us, Outputs& out);
  void probe(PlacedSample placed, Outputs& out);
  void choose_targets(std::int64_t first_segment_us, std::int64_t longest_frame_us, Outputs& out);
  void start_cutting(Outputs& out);
  void finish_cutting(Outputs& out);
  void emit(std::vector<CutPart>& cuts, Outputs& out);
  void emit_one(CutPart& cut, Outputs& out);
  void open_record(Track& track, const CutPart& cut);
  void mirror_to_absent_tracks(const CutPart& cut, const store::SegmentRecord& lead, Outputs& out);
  static void measure(Track& track, const CutPart& cut);
  void date_cues();
  void list_range(const store::DateRangeRecord& range);
  void take_ranges(Track& track);

  PackagerSettings settings_;
  store::StreamRecord record_;
  ProgramClock clock_;
  CueBook cue_book_;
  std::vector<SourceCue> cues_;  ///< until the next part
  std::uint64_t dropped_cues_ = 0;
  std::deque<Track> tracks_;  ///< of the stream, by id
  std::uint64_t breaks_ = 0;
  Segmenter::Counters past_counters_;

  // the session
  std::vector<SourceTrack> expected_;  ///< empty: the source has not said
  bool may_grow_ = false;              ///< ... and others may join them
  std::vector<SourceFormat> formats_;  ///< newest configuration of each, by source track
  std::deque<Pending> pending_;        ///< until the tracks are known
  std::vector<SessionTrack> session_;  ///< video first: the first one leads
  std::vector<std::string> notes_, noted_;
  std::optional<SessionTimeline> timeline_;
  std::optional<Segmenter> segmenter_;
  Outputs announced_;  ///< new tracks and inits, given out before the first segment that needs them
  std::vector<PlacedSample> probed_;  ///< until the targets are chosen
  std::int64_t origin_us_ = 0, first_arrival_us_ = 0;
  std::uint64_t first_msn_ = 0;  ///< of the running session (or of its part after a break)
  std::uint32_t discontinuity_ = 0;
  bool discontinuous_ = false;
};

}  // namespace lookback::packager
