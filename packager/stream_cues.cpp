// StreamPackager's part of cues: each becomes a date range in the next record of every track.
#include <algorithm>
#include <utility>

#include "packager/stream_packager.hpp"
#include "store/codec.hpp"

namespace lookback::packager {
namespace {

constexpr std::size_t max_waiting_cues = 64;
/// Of one segment: a record is written anew with each of its parts.
constexpr std::size_t max_range_bytes = 16 << 10;
/// Splices are announced seconds ahead, some schedules minutes. A time further off is damage.
constexpr std::int64_t max_ahead_us = 3'600'000'000, max_behind_us = 600'000'000;

}  // namespace

void StreamPackager::push(SourceCue cue) {
  if (cues_.size() == max_waiting_cues) {
    ++dropped_cues_;
  } else {
    cues_.push_back(std::move(cue));
  }
}

/// Puts what waits on the stream's time: `timeline_` is there.
void StreamPackager::date_cues() {
  for (const auto& cue : std::exchange(cues_, {})) {
    const auto now_us = std::max(record_.end_us, origin_us_);
    const auto media_us = cue.pts_us ? timeline_->media_us(*cue.pts_us).value_or(now_us) : now_us;
    if (media_us > now_us + max_ahead_us || media_us < now_us - max_behind_us) {
      ++dropped_cues_;
      continue;
    }
    const CueBook::Time time{clock_.date(media_us), media_us};
    const bool is_cancel = cue.kind == SourceCue::Kind::cancel;
    for (auto range = cue_book_.enter(cue, time); range;
         range = is_cancel ? cue_book_.enter(cue, time) : std::nullopt) {
      list_range(*range);
    }
  }
}

/// One that joins later copies what its gaps have.
void StreamPackager::list_range(const store::DateRangeRecord& range) {
  for (std::size_t i = 0; i < session_.size(); ++i) {
    if (segmenter_->has_begun(i)) tracks_[session_[i].track].fresh_ranges.push_back(range);
  }
}

void StreamPackager::take_ranges(Track& track) {
  auto& ranges = track.open->date_ranges;
  std::size_t bytes = 0;
  for (const auto& range : ranges) bytes += range.attributes.size();
  for (auto& range : std::exchange(track.fresh_ranges, {})) {
    bytes += range.attributes.size();
    if (ranges.size() < store::max_date_ranges && range.attributes.size() <= store::max_date_range_bytes &&
        bytes <= max_range_bytes) {
      ranges.push_back(std::move(range));
    } else {
      ++dropped_cues_;
    }
  }
}

}  // namespace lookback::packager
