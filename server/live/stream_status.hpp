#pragma once
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "packager/media/track_format.hpp"
#include "server/ingest/link_stats.hpp"
#include "server/live/hub.hpp"
#include "server/live/ingest_health.hpp"
#include "server/live/stream_settings.hpp"
#include "store/records.hpp"

namespace lookback::server {

/// One connection of a publisher.
struct FeedStatus {
  std::string rendition;  ///< of NAME@RENDITION; empty: of NAME
  std::string peer, protocol, encoder;
  std::int64_t since_us = 0;  ///< Unix us
  std::optional<LinkStats> link;
  std::optional<std::int64_t> shift_us;  ///< of its timestamps, to join the others'; empty: no media yet
  bool by_arrival = false;               ///< that is by its arrival, not by a clock in common
};

/// A publisher beside the one that is on the air.
struct StandbyStatus {
  std::string peer, protocol, encoder;  ///< of its first connection, as the next two
  std::int64_t since_us = 0;            ///< Unix us
  std::optional<LinkStats> link;
  std::vector<FeedStatus> feeds;
};

/// How often one publisher took over from the other, while the process lives.
struct FailoverStatus {
  std::uint64_t count = 0;
  std::int64_t last_us = 0;  ///< Unix us
  std::string reason;        ///< what ended the one before
};

/// What others may know of a loaded stream: a copy, made under a lock.
struct StreamStatus {
  enum class State {
    publishing,
    waiting,  ///< the publisher is away and may come back within the grace time
    ended,
  };
  std::string name;
  store::StreamId id = 0;
  std::string generation;
  State state = State::waiting;
  /// A run lasts from a publish to the end of the grace time after the last session. They count from 1 while
  /// the process lives; 0 is the one that began before it.
  std::uint64_t run = 0;
  std::int64_t run_started_us = 0;         ///< Unix us; of run 0: 0
  std::int64_t session_started_us = 0;     ///< of the publisher that is there, or was last; 0: none yet
  std::string peer, protocol, encoder;     ///< of the publisher that is there: its first connection
  std::vector<FeedStatus> feeds;           ///< all connections of that publisher
  bool publisher_is_backup = false;        ///< that publisher is the backup of two
  std::optional<StandbyStatus> standby;    ///< the other one of two
  std::optional<FailoverStatus> failover;  ///< the last change from one to the other
  std::optional<LinkStats> link;           ///< of that publisher, where its protocol measures it
  std::optional<HealthReport> health;      ///< of that publisher, or the one that was there last
  boost::system::error_code store_error;   ///< why media is not stored at the moment
  EffectiveSettingsPtr settings;
  std::map<std::string, std::shared_ptr<const packager::TrackFormat>> formats;  ///< by track name
  PresentationPtr presentation;                                                 ///< null: no media yet
};

}  // namespace lookback::server
