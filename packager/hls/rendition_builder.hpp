#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "packager/hls/media_state.hpp"
#include "packager/hls/presentation.hpp"
#include "packager/hls/segment_window.hpp"

/// The path of a segment through its playlist: the open segment grows part by part; complete, it joins the
/// edge, where it keeps its parts and their bytes for a while, and becomes a gap if the store has not got
/// them by then; 64 at a time leave the edge as a block that is never rendered again; at last the window's
/// front passes it. Each step makes new immutable values and leaves the old ones to the snapshots that hold
/// them.
namespace lookback::packager::hls {

/// Keeps one track's window and makes immutable snapshots of it. Pure: no clock, no I/O.
/// Belongs to its stream's strand.
class RenditionBuilder {
 public:
  struct Options {
    Timing timing;
    std::string generation, track;
    /// The stream's folder, "/live/news/": stands before media names in views with `absolute_media`.
    std::string media_prefix;
    MediaKind kind = MediaKind::video;
    std::uint32_t timescale = 0;  ///< > 0
    /// Segments that end this long before the newest one leave the list; it keeps at least 6 segments and
    /// 3 x TARGETDURATION (rfc8216bis 6.2.2). The largest value: everything stays.
    std::int64_t window_us = 0;
    /// Media time that bytes of parts stay in memory. Never less than what 6.2.2 asks for: while listed
    /// and 3 x TARGETDURATION longer.
    std::int64_t memory_us = 0;
  };

  explicit RenditionBuilder(Options options);

  /// What the store holds, at start: complete segments, ascending. Costs no text.
  void load(std::vector<store::SegmentRecord> segments);

  /// What was appended: the record with its newest part, and that part's bytes. Bytes may be empty, for a
  /// gap, for a segment that ends without another part, and for bytes that only the store has. Numbers that
  /// were never appended become gaps if their time fits, otherwise the list starts anew behind them. A
  /// segment that is already complete is left as it is.
  void add(const store::SegmentRecord& segment, Chain newest_part);

  /// A segment, or its first parts, that was added before it was stored is stored now: where its bytes lie.
  /// One that is not there any more is left alone.
  void place(const store::SegmentRecord& stored);

  /// The stored bytes of a complete segment turned out to be damaged: it becomes a gap. Linear in the window.
  /// False: it is not listed, or is a gap already.
  bool lose(std::uint64_t msn);

  /// EXT-X-ENDLIST from now on, or no longer: a stream that is published again goes on.
  void set_ended(bool ended) { state_.ended = ended; }

  /// Another window (Options::window_us) from the next segment or `trim` on. What has left does not come
  /// back.
  void set_window(std::int64_t window_us) {
    track_->window_us = window_us;
    window_.set_length(window_us);
  }
  /// Segments that end before `cutoff_pdt_us` leave the list, as far as it may shrink.
  void trim(std::int64_t cutoff_pdt_us);

  /// PDT of the first listed segment: the store must keep all that ends later, and for the time of 6.2.2
  /// also what ends earlier. Empty: nothing is listed.
  std::optional<std::int64_t> first_pdt_us() const;
  std::optional<PartId> last_part() const { return state_.last_part(); }
  /// From now on segments are not independent of each other, although they start with sync samples (open
  /// GOPs).
  void set_open_gop() { open_gop_ = true; }
  /// Whether all listed segments start with a sync sample of a closed GOP.
  bool independent() const { return state_.independent && !open_gop_; }
  BitRates bit_rates() const { return window_.rates(); }
  /// Of the I-frame playlist; 0 when it would list none.
  BitRates iframe_rates() const { return window_.iframe_rates(); }

  /// The window as it is now. `reports`: of all other renditions. The cost does not depend on the window's
  /// length.
  std::shared_ptr<const Rendition> snapshot(std::vector<Report> reports);

  const Work& work() const { return track_->work; }
  /// What entries and blocks take, without cached texts and media.
  std::size_t index_bytes() const { return window_.index_bytes(); }

 private:
  void bridge_to(const store::SegmentRecord& next);
  void restart_at(std::uint64_t msn);
  void finish_open();
  void keep_recent(std::shared_ptr<const EdgeSegment> segment);

  Options options_;
  std::shared_ptr<const TrackContext> track_;
  SegmentWindow window_;
  DateRanges date_ranges_;
  MediaState state_;  ///< what the next snapshot shows
  bool open_gop_ = false;
};

}  // namespace lookback::packager::hls
