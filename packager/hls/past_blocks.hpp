#pragma once
#include <mutex>

#include "packager/hls/listing.hpp"

namespace lookback::packager::hls {

/// The segments of a listing, to stand before those of another window: as blocks, cut where that window cuts.
/// They are made once for each grid and kept, so that a window that is joined after each part costs
/// references only. Thread-safe.
class PastBlocks {
 public:
  /// Puts [listing.first_msn, end_msn) before the blocks of `state`, or before its edge if it has none.
  /// `end_msn`: where those begin, inside of the listing or at its end. False: blocks of 64 would begin
  /// before number 0.
  bool put_before(MediaState& state, const Listing& listing, std::uint64_t end_msn) const;

 private:
  Blocks get(const Listing& listing, std::uint64_t start, std::size_t count) const;

  mutable std::mutex mutex_;
  mutable Blocks blocks_;  ///< of the grid that was asked for last
};

}  // namespace lookback::packager::hls
