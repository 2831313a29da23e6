#pragma once
#include <cstdint>

#include "store/core.hpp"

namespace lookback::store {

/// Decides what goes, and forgets it. Belongs to the writer thread. What it is about must be in the index:
/// commit pending changes first.
class Retention {
 public:
  explicit Retention(Core& core) : core_(core) {}

  /// Bytes that must go before `need` more may be written: for the reserve, or for the cap on all extents.
  std::uint64_t shortage(std::uint64_t need) const;
  /// Deletes the oldest closed extents until `need` more may be written. Deletes nothing when that would not
  /// be enough: then the disk is somebody else's, and the media would be lost for nothing. Errors:
  /// reserve_reached.
  Result<void> make_room(std::uint64_t need);

  /// Forgets closed extents that end by the cutoff, and gaps older than what is left. Returns the ids of
  /// files to unlink once the index is durable.
  Result<std::vector<std::uint64_t>> expire(StreamId stream, std::int64_t cutoff_pdt_us);

 private:
  void empty_file(ExtentRecord& extent);
  Result<void> forget(const std::vector<ExtentRecord>& extents);
  Result<std::vector<std::uint64_t>> expire(StreamId stream, const TrackRecord& track,
                                            std::int64_t cutoff_pdt_us);
  Result<std::uint64_t> first_to_keep(StreamId stream, const TrackRecord& track, std::int64_t cutoff_pdt_us,
                                      std::size_t expired) const;

  Core& core_;
};

}  // namespace lookback::store
