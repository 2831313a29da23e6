#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "store/store.hpp"

namespace lookback::server {

/// What a media URL names.
struct MediaName {
  std::string stream, generation, track;  ///< "live/news", "k3f9", "v0"
  std::uint64_t number = 0;               ///< msn, or the init's id
};

/// Finds stored media by the names that URLs have, whether its stream is loaded or not: what has left the
/// window, and what recordings refer to. Thread-safe; every call is blocking. `store` outlives it.
class MediaFinder {
 public:
  explicit MediaFinder(store::Store& store) : store_(store) {}

  /// The segment's record (`known`, if it is), whose bytes are what was written: they have been read and
  /// compared at least once since the store was opened. Errors: not_found (also for another generation of the
  /// stream), damaged, and the store's.
  Result<store::SegmentRecord> segment(const MediaName& name,
                                       const std::optional<store::SegmentRecord>& known);
  Result<store::InitRecord> init(const MediaName& name);

 private:
  struct Place {
    store::StreamId stream = 0;
    store::TrackId track = 0;
  };
  Result<Place> find(const MediaName& name);

  store::Store& store_;
  std::mutex mutex_;                                                         ///< guards tracks_
  std::map<store::StreamId, std::map<std::string, store::TrackId>> tracks_;  ///< as many as the store has
};

}  // namespace lookback::server
