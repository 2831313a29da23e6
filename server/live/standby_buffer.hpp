#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "server/ingest/event.hpp"

namespace lookback::server {

/// The newest configuration of each track.
using Formats = std::vector<FormatChange>;

/// Puts `change` in the place of that track's older one.
void remember(Formats& formats, const FormatChange& change);

/// What a publisher that stands by has sent of late, so that the stream can go on with it where the one on
/// the air fell silent. Kept in groups that each begin with a sync sample (of sound alone: in pieces of a
/// second), as far back as `reach_us`; of more than `max_bytes` the oldest groups go, and one that is larger
/// by itself is left out. Pure: time comes in. Belongs to its stream's strand.
class StandbyBuffer {
 public:
  /// An event and when it came, on the wall clock.
  struct Held {
    IngestEvent event;
    std::int64_t arrival_us = 0;
  };

  /// `formats`: what the publisher has announced so far.
  StandbyBuffer(std::size_t max_bytes, Formats formats)
      : max_bytes_(max_bytes), formats_(std::move(formats)) {}

  /// `reach_us`: what came longer ago is not needed, but for the group that lasted until then.
  void take(std::vector<IngestEvent> events, std::int64_t now_us, std::int64_t reach_us);

  /// The formats, then all events from the newest sync sample on that had come by `since_us`; from the oldest
  /// one on when all came later. Empty afterwards.
  std::vector<Held> release(std::int64_t since_us);
  /// Only the formats: for going on with what comes next. Empty afterwards.
  std::vector<Held> release_formats(std::int64_t now_us);

  std::size_t held_bytes() const { return bytes_; }

 private:
  struct Group {
    std::int64_t start_us = 0;
    Formats formats;  ///< in force at its start
    std::vector<Held> events;
    std::size_t bytes = 0;
  };

  bool begins_group(const packager::SourceSample& sample, std::int64_t now_us) const;
  void trim(std::int64_t oldest_us);
  void drop_front();

  const std::size_t max_bytes_;
  Formats formats_;
  std::deque<Group> groups_;
  std::size_t bytes_ = 0;
};

}  // namespace lookback::server
