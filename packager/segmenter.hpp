#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "packager/media/sample.hpp"

/// Cutting by arithmetic on media time. The *lead* track (video when there is one) decides where
/// segments end; the other tracks *follow*: a follower's sample belongs to the segment in which its
/// middle lies, and waits (bounded) until the lead has decided that far. So all renditions have the
/// same segments, aligned within half a sample, under the same numbers. A video follower whose key pictures
/// lie elsewhere is cut there all the same: its segment then starts without a sync sample, and says so. A
/// lead that falls silent hands its place to a track of its kind that goes on; a track may join at any
/// boundary.
namespace lookback::packager {

/// A part that is ready to be written and listed.
struct CutPart {
  std::size_t track = 0;        ///< index in the session's tracks
  std::uint64_t segment = 0;    ///< counts from 0 in the session
  bool last = false;            ///< the segment ends with it
  bool gap = false;             ///< the segment has no media at all; `duration` is its length
  Ticks segment_start = 0;      ///< dts of the segment's first sample, or start of the gap
  std::vector<Sample> samples;  ///< empty: a gap, or a segment that ends without another part
  Ticks duration = 0;           ///< of the samples, or of the gap
};

/// Pure: no clock, no I/O. Belongs to its stream's strand.
class Segmenter {
 public:
  struct Options {
    std::int64_t segment_target_us = 2'000'000;
    std::int64_t segment_limit_us = 2'499'000;  ///< no segment is longer: TARGETDURATION + 0.499 s
    std::int64_t part_target_us = 334'000;
    std::int64_t silence_limit_us = 1'500'000;  ///< a follower this far behind the lead gets a gap
    std::int64_t lead_limit_us = 3'000'000;     ///< a lead this far behind another of its kind follows it
    std::size_t max_waiting_samples = 4'000;    ///< of one follower; the oldest goes first
  };
  struct Track {
    std::uint32_t timescale = 0;
    Ticks nominal_duration = 0;  ///< of a sample whose successor never comes
    bool video = false;          ///< may lead where another of its kind leads
  };

  /// `lead` is an index in `tracks`.
  Segmenter(Options options, const std::vector<Track>& tracks, std::size_t lead);

  /// A track that joins: its index is the number of those before it, its first segment one that the lead has
  /// yet to open, the one in which its first sample lies. It gets no gaps before.
  void add(const Track& track);
  /// Whether a track has a segment: tracks that join have none at first.
  bool has_begun(std::size_t track) const { return states_[track].open || !states_[track].joins; }
  /// Its first segment will not be before this one. For a track that has not begun.
  void begin_at(std::size_t track, std::uint64_t segment);

  std::size_t lead() const { return lead_; }
  /// The lead has ended: another track of its kind that has begun goes on in its place. False: there is none,
  /// and nothing will be cut any more.
  [[nodiscard]] bool retire_lead(std::vector<CutPart>& out);

  /// Takes a track's next sample; dts must be later than that of the one before. The duration is measured
  /// from the sample that follows. Lead samples before the first sync sample, and followers' samples
  /// before the first segment, are dropped. Finished parts are appended to `out`.
  void push(std::size_t track, Sample sample, std::vector<CutPart>& out);

  /// Ends the session: held and waiting samples, open parts and open segments of all tracks.
  void finish(std::vector<CutPart>& out);

  /// Segments opened so far by the lead.
  std::uint64_t segments() const { return first_boundary_ + boundaries_us_.size(); }

  struct Counters {
    std::uint64_t forced_cuts = 0;   ///< segments cut at a sample that is not a sync sample
    std::uint64_t long_samples = 0;  ///< samples that outlast the part target by themselves
    std::uint64_t dropped_samples = 0;
    std::uint64_t gaps = 0;
    std::uint64_t unaligned_starts = 0;  ///< segments of a video follower that start without a sync sample
    std::uint64_t lead_changes = 0;

    Counters& operator+=(const Counters& more);
  };
  const Counters& counters() const { return counters_; }

 private:
  struct State {
    Track track;
    Ticks part_target = 0, segment_target = 0, segment_limit = 0;
    std::optional<Sample> held;  ///< the newest sample, until the next one tells its duration
    std::deque<Sample> waiting;  ///< a follower's samples that the lead has not decided on yet
    std::vector<Sample> part;    ///< the open part
    std::uint64_t segment = 0;   ///< the open segment
    std::uint32_t parts = 0;     ///< already cut from it
    Ticks segment_start = 0;
    Ticks end = 0;  ///< of the newest placed sample
    bool open = false;
    bool joins = false;             ///< came when others had begun
    bool starts_with_sync = false;  ///< the open segment

    Ticks part_length() const { return part.empty() ? 0 : part.back().end() - part.front().dts; }
  };

  State make_state(const Track& track) const;
  void push_lead(Sample sample, std::vector<CutPart>& out);
  void place_lead(Sample sample, std::vector<CutPart>& out);
  bool ends_segment(const Sample& next) const;
  void start_segment(const Sample& first, std::vector<CutPart>& out);

  bool leaves_lead_behind(std::size_t index) const;
  void hand_over(std::size_t index, std::vector<CutPart>& out);
  void open_at_boundary(State& state) const;

  void push_follower(State& state, Sample sample);
  void release(std::size_t index, std::vector<CutPart>& out);
  void place_follower(std::size_t index, Sample sample, std::vector<CutPart>& out);
  void advance(std::size_t index, Ticks next_dts, std::vector<CutPart>& out);
  void reach_boundary(State& state);
  void settle(std::size_t index, std::vector<CutPart>& out);
  void fill_if_silent(std::size_t index, std::vector<CutPart>& out);

  void append(std::size_t index, Sample sample, std::vector<CutPart>& out);
  static void bridge(State& state, Sample& sample);
  bool part_is_full(const State& state) const;
  void close_part(std::size_t index, bool last, std::vector<CutPart>& out);
  void close_segment(std::size_t index, std::vector<CutPart>& out);
  void forget_old_boundaries();

  bool is_known(std::uint64_t segment) const { return segment < segments(); }
  std::int64_t boundary_us(std::uint64_t segment) const { return boundaries_us_[segment - first_boundary_]; }

  Options options_;
  std::vector<State> states_;
  std::size_t lead_;
  std::deque<std::int64_t> boundaries_us_;  ///< start of each segment, as the lead decided
  std::uint64_t first_boundary_ = 0;        ///< number of boundaries_us_.front()
  std::int64_t decided_us_ = 0;             ///< all boundaries up to here are known
  std::optional<std::int64_t> first_us_;    ///< of the very first sample
  bool finishing_ = false;
  Ticks last_sync_ = 0, gop_ = 0;  ///< of the lead: newest sync sample, distance to the one before
  Counters counters_;
};

}  // namespace lookback::packager
