#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "server/ingest/event.hpp"

namespace lookback::server {

/// What a publisher has said of its tracks: its newest list of them, and the newest configuration of each.
class Announced {
 public:
  Announced() = default;
  explicit Announced(std::vector<FormatChange> formats) : formats_(std::move(formats)) {}

  /// Remembers a configuration or a list, and forgets what a list does not name any more; anything else is
  /// left alone.
  void take(const IngestEvent& event);
  /// The lowest number of a kind: the one that speaks for all renditions, or languages. Empty: there is none.
  std::optional<std::uint8_t> first(packager::MediaKind kind) const;
  /// As a new session needs them.
  std::vector<IngestEvent> events() const;

 private:
  std::optional<TrackList> tracks_;
  std::vector<FormatChange> formats_;
};

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

  /// What a group counts besides its events.
  static constexpr std::size_t group_bytes = 256;

  /// `announced`: by the publisher, so far.
  StandbyBuffer(std::size_t max_bytes, Announced announced)
      : max_bytes_(max_bytes), announced_(std::make_shared<const Announced>(std::move(announced))) {}

  /// `reach_us`: what came longer ago is not needed, but for the group that lasted until then.
  void take(std::vector<IngestEvent> events, std::int64_t now_us, std::int64_t reach_us);

  /// What was announced, then all events from the newest sync sample on that had come by `since_us`; from the
  /// oldest one on when all came later. Empty afterwards.
  std::vector<Held> release(std::int64_t since_us);
  /// Only what was announced: for going on with what comes next. Empty afterwards.
  std::vector<Held> release_announced(std::int64_t now_us);

  std::size_t held_bytes() const { return bytes_; }

 private:
  struct Group {
    std::int64_t start_us = 0;
    std::shared_ptr<const Announced> announced;  ///< before its start
    std::vector<Held> events;
    std::size_t bytes = group_bytes;
  };

  void note(const IngestEvent& event);
  bool begins_group(const packager::SourceSample& sample, std::int64_t now_us) const;
  void trim(std::int64_t oldest_us);
  void drop_front();

  const std::size_t max_bytes_;
  std::shared_ptr<const Announced> announced_;  ///< not null; shared by groups
  std::deque<Group> groups_;
  std::size_t bytes_ = 0;
};

}  // namespace lookback::server
