#pragma once
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "store/core.hpp"

namespace lookback::store {

/// Decides what goes, and forgets it. Belongs to the writer thread. What it is about must be in the index:
/// commit pending changes first.
class Retention {
 public:
  explicit Retention(Core& core) : core_(core) {}

  /// Bytes that must go before `need` more may be written: for the reserve, or for the cap on all extents.
  std::uint64_t shortage(std::uint64_t need) const;
  /// Deletes the oldest extents that no recording needs, over all streams, until `need` more may be written.
  /// Deletes nothing when that would not be enough: then the disk is somebody else's, or full of recordings,
  /// and the media would be lost for nothing. Errors: reserve_reached.
  Result<void> make_room(std::uint64_t need);

  struct Expired {
    std::vector<DoomedFile> files;
    bool has_more = false;  ///< there is more than a step's work: expire again
  };
  /// Forgets a bounded number of closed extents that end by the cutoff and that no recording needs, wherever
  /// in their track they lie, and records of older segments that nothing holds. The cost depends on what
  /// goes, not on what stays.
  Result<Expired> expire(StreamId stream, std::int64_t cutoff_pdt_us);
  /// References to segments from `msn` on have gone: what they held is looked for again.
  void look_again(StreamId stream, std::uint64_t msn);

 private:
  using TrackKey = std::pair<StreamId, TrackId>;

  void empty_file(ExtentRecord& extent);
  Result<void> forget(const std::vector<ExtentRecord>& extents);
  Result<void> expire(StreamId stream, const TrackRecord& track, std::int64_t cutoff_pdt_us, Expired& out);
  Result<void> expire_sheets(StreamId stream, std::int64_t cutoff_pdt_us, Expired& out);
  Result<bool> sweep(StreamId stream, const TrackRecord& track, std::int64_t cutoff_pdt_us);
  Result<MsnRange> next_loose(StreamId stream, const TrackRecord& track, std::uint64_t from_msn,
                              std::int64_t cutoff_pdt_us, bool& is_last) const;
  Result<void> erase_loose(StreamId stream, TrackId track, const std::vector<MsnRange>& holes);

  Core& core_;
  /// Below it no record is left but those in extents that stay, or in recordings.
  std::map<TrackKey, std::uint64_t> swept_;
};

}  // namespace lookback::store
