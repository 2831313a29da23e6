#pragma once
#include <memory>
#include <vector>

#include "packager/hls/block.hpp"
#include "packager/hls/date_ranges.hpp"
#include "packager/hls/edge_segment.hpp"

namespace lookback::packager::hls {

/// The window of one track at one instant. Immutable values only, so that a copy costs a few references
/// however long the window is.
///
///     removed | blocks ... | edge ............ | open
///             ^first_msn    (recent: with parts)^next_msn
struct MediaState {
  std::shared_ptr<const TrackContext> track;
  std::shared_ptr<const Blocks> blocks;  ///< the first one may begin before first_msn
  std::shared_ptr<const std::vector<SegmentEntry>>
      edge;  ///< all that is nearer to the end than the skip boundary
  std::vector<std::shared_ptr<const EdgeSegment>>
      recent;                                 ///< newest complete segments, some of them not listed
  std::shared_ptr<const EdgeSegment> open;    ///< null: no part of it yet
  std::uint64_t first_msn = 0, next_msn = 0;  ///< complete and listed: [first_msn, next_msn)
  bool independent = true;                    ///< all listed segments start with a sync sample
  bool ended = false;
  std::vector<Report> reports;
  std::shared_ptr<const DateRangeList> date_ranges;  ///< null: none

  std::uint64_t edge_msn() const { return next_msn - edge->size(); }  ///< of edge->front()
  bool empty() const { return first_msn == next_msn; }
  PartId hinted() const;
  std::optional<PartId> last_part() const;

  /// A segment in the blocks or the edge; null when it is in neither.
  const SegmentEntry* find(std::uint64_t msn) const;
  /// A segment with its parts, complete or open; null when it is too old.
  const EdgeSegment* find_recent(std::uint64_t msn) const;
};

/// 6 x TARGETDURATION (rfc8216bis 4.4.3.8), or what a player at PART-HOLD-BACK needs if that is longer.
std::int64_t skip_boundary_us(const Timing& timing);
/// PART-HOLD-BACK: 3 x PART-TARGET.
std::int64_t part_hold_back_us(const Timing& timing);

}  // namespace lookback::packager::hls
