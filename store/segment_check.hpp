#pragma once
#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_set>

#include "store/writer.hpp"

namespace lookback::store {

/// Places in extents that were added, as long as they fit: when the newer half is full, the older half is
/// forgotten. Belongs to its owner.
class RecentPlaces {
 public:
  struct Place {
    std::uint64_t extent = 0, offset = 0;
    bool operator==(const Place&) const = default;
  };

  explicit RecentPlaces(std::size_t capacity) : half_(capacity / 2) {}

  bool contains(const Place& place) const { return newer_.contains(place) || older_.contains(place); }
  void add(const Place& place);

 private:
  struct Hash {
    std::size_t operator()(const Place& place) const {
      return static_cast<std::size_t>(place.extent * 0x9E37'79B9'7F4A'7C15ull + place.offset);
    }
  };
  const std::size_t half_;
  std::unordered_set<Place, Hash> newer_, older_;
};

/// Compares stored segments with their checksums, once each while it is remembered. Thread-safe.
class SegmentCheck {
 public:
  SegmentCheck(Core& core, Writer& writer) : core_(core), writer_(writer) {}

  /// As Store::check. Blocking.
  Result<void> run(const SegmentRecord& segment, StreamId stream, TrackId track);
  /// Whether `run` has found it good, and that is remembered.
  bool knows(const SegmentRecord& segment) const;
  std::uint64_t damaged() const { return damaged_; }

 private:
  Result<bool> is_good(const SegmentRecord& segment, const ExtentFile& file) const;

  Core& core_;
  Writer& writer_;
  std::atomic<std::uint64_t> damaged_ = 0;
  mutable std::mutex mutex_;                  ///< guards what follows
  RecentPlaces good_{262'144}, bad_{16'384};  ///< about 12 MB when full
};

}  // namespace lookback::store
