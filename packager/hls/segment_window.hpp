#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "packager/hls/bit_rate.hpp"
#include "packager/hls/media_state.hpp"

namespace lookback::packager::hls {

/// The complete segments of a playlist: grows at the end, shrinks at the front, seals 64 at a time into
/// blocks. Belongs to its stream's strand.
class SegmentWindow {
 public:
  /// Segments that end `length_us` before the newest one leave.
  SegmentWindow(std::shared_ptr<const TrackContext> track, std::int64_t length_us);

  bool empty() const { return edge_.empty(); }
  std::uint64_t next_msn() const { return next_msn_; }
  const SegmentEntry* newest() const { return edge_.empty() ? nullptr : &edge_.back(); }
  const SegmentEntry* oldest() const { return edge_.empty() ? nullptr : &entry(first_msn_); }
  BitRates rates() const { return rates_.rates(); }
  BitRates iframe_rates() const { return iframe_rates_.rates(); }
  std::size_t index_bytes() const;

  /// Forgets all; the next segment listed is `msn`.
  void restart(std::uint64_t msn);
  /// `pack`: compress what leaves the edge now, and not when somebody asks for it.
  void list(const SegmentEntry& entry, bool pack);
  /// From the next segment or `trim` on.
  void set_length(std::int64_t length_us) { length_us_ = length_us; }
  /// Segments that end before `cutoff_pdt_us` leave, but for 6 and for 3 x TARGETDURATION (rfc8216bis 6.2.2).
  void trim(std::int64_t cutoff_pdt_us);
  /// Where the bytes of a listed segment lie, told late.
  void place(std::uint64_t msn, std::uint64_t extent, std::uint64_t offset);
  /// The media of a listed segment is lost: it becomes a gap. Linear in the window. Null: it is not listed,
  /// or is a gap already.
  const SegmentEntry* lose(std::uint64_t msn);
  /// Copies what has changed since the last call into new immutable values.
  void publish(MediaState& state);

 private:
  std::uint64_t edge_msn() const { return next_msn_ - edge_.size(); }
  const SegmentEntry& entry(std::uint64_t msn) const;
  std::int64_t end_us(const SegmentEntry& entry) const;
  bool may_shrink() const;
  template <class Change>
  void change(std::uint64_t msn, Change change);
  void count(std::uint64_t msn, const SegmentEntry& entry);
  void count_again();
  void remove_first();
  void drop_removed();
  void seal(bool pack);

  std::shared_ptr<const TrackContext> track_;
  std::int64_t length_us_;
  std::uint64_t first_msn_ = 0, next_msn_ = 0;
  Blocks blocks_;
  std::vector<SegmentEntry> edge_;  ///< never empty once something is listed
  bool blocks_changed_ = true, edge_changed_ = true;
  std::int64_t listed_ticks_ = 0;
  std::uint64_t dependent_ = 0;  ///< listed segments that do not start with a sync sample
  BitRateMeter rates_, iframe_rates_;
};

}  // namespace lookback::packager::hls
