#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "packager/cue.hpp"
#include "store/records.hpp"

namespace lookback::packager {

/// Makes date ranges of a stream's cues: one id for the two ends of a break, one tag for a cue that is sent
/// several times. Remembers the newest 64. Pure; belongs to its stream's strand.
class CueBook {
 public:
  /// When a cue takes effect.
  struct Time {
    std::int64_t date_us = 0;   ///< on the clock of PROGRAM-DATE-TIME (Unix us), which is corrected slowly
    std::int64_t media_us = 0;  ///< on the stream's timeline: durations are told by it
  };
  /// Empty: it was told already, or cancels nothing (more): an event may have several breaks, so a
  /// cancellation is entered until it gives nothing.
  std::optional<store::DateRangeRecord> enter(const SourceCue& cue, Time time);

  /// What an earlier run has listed, in order.
  void restore(const store::DateRangeRecord& range);

 private:
  struct Entry {
    std::string id, event;
    std::int64_t start_us = 0;
    std::optional<std::int64_t> media_us;  ///< the same on the timeline; empty: restored
    std::optional<std::int64_t> end_us;    ///< a break that has ended, or a command
  };

  Entry* newest_of(const std::string& event);
  Entry* cancelled_by(const std::string& event);
  void remember(Entry entry);
  static bool is_repeated(const SourceCue& cue, std::int64_t told_us, std::int64_t date_us);
  std::optional<store::DateRangeRecord> begin(const SourceCue& cue, Time time);
  std::optional<store::DateRangeRecord> end(const SourceCue& cue, Time time);

  std::deque<Entry> entries_;
};

}  // namespace lookback::packager
