#pragma once
#include <memory>
#include <vector>

#include "packager/hls/segment_entry.hpp"

namespace lookback::packager::hls {

/// A segment near the live edge: its parts, and their bytes while they are kept in memory. Immutable.
struct EdgeSegment {
  std::uint64_t msn = 0;
  SegmentEntry entry;
  std::uint32_t init_id = 0;                             ///< of the record: 0 in a gap without one
  std::vector<store::PartRecord> parts;                  ///< as listed; of a gap: as long as the part target
  std::vector<std::shared_ptr<const Chain>> part_bytes;  ///< one per part; null: not in memory

  /// The whole record, bytes of all parts (empty unless all are in memory).
  SegmentView view() const;
  /// Empty: no such part, or a gap.
  std::optional<PartView> part(std::uint32_t index) const;
};

/// `older`: the same segment one part ago, or null. `bytes`: of the newest part if there is a new one.
std::shared_ptr<const EdgeSegment> make_edge_segment(const TrackContext& track,
                                                     const store::SegmentRecord& record, SegmentEntry entry,
                                                     const EdgeSegment* older, Chain bytes);

}  // namespace lookback::packager::hls
