#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <limits>

namespace lookback::packager {

/// PROGRAM-DATE-TIME of a stream: wall clock = epoch + media time + offset. The offset follows the
/// arrival of samples by at most 0.5 ms per second of media (product contract, section 7), and looks only at
/// the *earliest* arrivals of each segment, so that network jitter does not move it: exact within a session,
/// and right after months with a drifting encoder. It stands still until it is off by 50 ms, then comes back
/// to the true time: a player that takes its clock from the dates (Shaka) loses what is behind a part in its
/// segment when the next segment's date is not where the one before ends. Pure; belongs to its stream's
/// strand.
class ProgramClock {
 public:
  explicit ProgramClock(std::int64_t epoch_us) : epoch_us_(epoch_us) {}

  /// A sample whose DTS on the timeline is `media_us` (a sync sample's is its PTS) arrived at wall clock
  /// `now_us`.
  void observe(std::int64_t media_us, std::int64_t now_us) {
    earliest_us_ = std::min(earliest_us_, now_us - (epoch_us_ + media_us + offset_us_));
  }

  /// Date of a segment that starts at `media_us`; call once per segment, in order.
  std::int64_t date_of_segment(std::int64_t media_us) {
    if (earliest_us_ != none && media_us > last_us_) {
      const auto most = (media_us - last_us_) / 2'000;
      const auto error = earliest_us_ - lead_us_;
      following_ = following_ || std::llabs(error) >= tolerated_us;
      if (following_) offset_us_ += std::clamp(error, -most, most);
      following_ = following_ && std::llabs(error) > most;
    }
    if (last_us_ == none_before && earliest_us_ != none) {
      // A source that hurries after its start was late with its first sample: its later ones tell the time.
      const auto hurry = std::clamp<std::int64_t>(earliest_us_, -most_hurry_us, 0);
      offset_us_ = std::max(hurry, not_before_us_ - epoch_us_ - media_us);
      lead_us_ = offset_us_ > hurry ? 0 : earliest_us_ - offset_us_;
    }
    last_us_ = media_us;
    earliest_us_ = none;
    return date(media_us);
  }

  std::int64_t date(std::int64_t media_us) const { return epoch_us_ + media_us + offset_us_; }

  /// A new session: its first sample arrives on time by definition. No date of it is before `not_before_us`,
  /// where the session before ends: one that begins with what came earlier, as a backup that takes over
  /// does, is late at first and comes back to the true time at the usual pace.
  void restart(std::int64_t not_before_us) {
    not_before_us_ = not_before_us;
    last_us_ = none_before;
    earliest_us_ = none;
    lead_us_ = 0;
    offset_us_ = 0;
    following_ = false;
  }

 private:
  static constexpr std::int64_t most_hurry_us = 1'000'000;
  /// Half of what the product contract allows: the rest is for the time that coming back takes.
  static constexpr std::int64_t tolerated_us = 50'000;
  static constexpr auto none = std::numeric_limits<std::int64_t>::max();
  static constexpr auto none_before = std::numeric_limits<std::int64_t>::max() - 1;
  std::int64_t epoch_us_;
  std::int64_t offset_us_ = 0;
  std::int64_t not_before_us_ = 0;
  std::int64_t lead_us_ = 0;  ///< how early or late the source was at its start: kept, not corrected
  std::int64_t last_us_ = none_before;  ///< media time of the newest segment
  std::int64_t earliest_us_ = none;     ///< smallest lateness since then
  bool following_ = false;              ///< on the way back to the true time
};

}  // namespace lookback::packager
