#pragma once
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/archive/recording_range.hpp"
#include "server/errc.hpp"
#include "server/live/stream_status.hpp"
#include "store/store.hpp"

/// Recordings are names for ranges of stored segments: making one writes a record and no media. Once a second
/// each that is not at its end is looked at: has its first segment come, has the segment that holds its end?
/// The same look starts and ends what the `rec` process asks for.
namespace lookback::server {

enum class RecordingState {
  scheduled,  ///< nothing of it is stored yet
  recording,  ///< grows
  ready,      ///< complete
  failed,     ///< ended with nothing in it; `reason` says why
};
std::string_view name_of(RecordingState state);

struct Recording {
  store::RecordingRecord record;
  std::string stream;  ///< "live/news"
  RecordingState state = RecordingState::scheduled;
};

/// What is asked for. Times are Unix us.
struct NewRecording {
  std::string stream;  ///< checked with `check_stream_name`; need not exist yet
  std::string name;
  std::int64_t start_us = 0;
  std::int64_t end_us = INT64_MAX;  ///< INT64_MAX: until it is stopped
  std::int64_t keep_until_us = 0;   ///< 0: for ever
  bool locked = false;
  bool by_policy = false;
};

/// Which recordings a list holds, newest first.
struct RecordingFilter {
  std::optional<std::string> stream, name;  ///< `name`: a part of it
  std::optional<RecordingState> state;
  std::int64_t created_from_us = INT64_MIN, created_to_us = INT64_MAX;  ///< [from, to)
  std::size_t offset = 0, limit = 100;
};
struct RecordingPage {
  std::vector<Recording> recordings;
  std::size_t total = 0;  ///< that pass the filter
};

/// What to change; what is empty stays.
struct RecordingChange {
  std::optional<std::string> name;
  std::optional<bool> locked;
  std::optional<std::int64_t> keep_until_us;
};

/// All recordings of the store. A change is durable when the call returns. Thread-safe. Blocking where it
/// says so: on the pool.
class Recordings {
 public:
  struct Options {
    std::size_t max_recordings = 100'000;
    std::size_t max_per_stream = 10'000;
  };
  /// What the service asks of the live side; thread-safe callees that do not block.
  struct Live {
    std::function<std::vector<StreamStatus>()> statuses;
    std::function<bool()> loaded;  ///< whether every stream of the store is loaded by now
    std::function<std::int64_t()> now_us;
  };

  /// Reads what the store has. `store` and `blocking` outlive it.
  Recordings(Options options, store::Store& store, Live live);

  /// Errors: too_many_recordings; nothing_stored (the range is over and holds nothing); the store's.
  /// Blocking.
  Result<Recording> create(const NewRecording& wanted);
  /// Sets the end to now; of one that has not begun: cancels it. Idempotent. Blocking. Errors: not_found.
  Result<Recording> stop(const std::string& id);
  /// Blocking. Errors: not_found; the store's.
  Result<Recording> change(const std::string& id, const RecordingChange& change);
  /// Its media go when nothing else protects them. Blocking. Errors: not_found, recording_locked.
  Result<void> erase(const std::string& id);

  /// From memory.
  std::optional<Recording> find(std::string_view id) const;
  RecordingPage list(const RecordingFilter& filter) const;
  /// All of one stream, oldest first.
  std::vector<Recording> of_stream(store::StreamId stream) const;

  /// One look at all that is not at its end, and at what the `rec` process asks for. Blocking.
  void tick();

 private:
  struct PolicyRun {
    std::uint64_t run = 0;
    bool handled = false;  ///< this run has had its recording
    bool seen = false;
  };

  Recording describe(const store::RecordingRecord& record) const;
  Recording described(const store::RecordingRecord& record) const;
  Result<void> keep(const store::RecordingRecord& record);
  Result<void> hold_front(store::RecordingRecord& record);
  Result<void> admit(store::StreamId stream) const;
  std::string fresh_id() const;
  std::vector<store::RecordingRecord> running() const;
  Result<void> look(store::RecordingRecord& record, std::int64_t now_us) const;
  Result<void> give_up(store::RecordingRecord& record, std::string_view reason) const;
  void advance(store::RecordingRecord record, const StreamStatus* status, std::int64_t now_us);
  void expire(std::int64_t now_us);
  void follow_policy(const StreamStatus& status, std::int64_t now_us);
  void start_by_policy(const StreamStatus& status, PolicyRun& run, std::int64_t now_us);
  bool recorded_before_restart(const StreamStatus& status) const;

  const Options options_;
  store::Store& store_;
  const Live live_;
  const RangeFinder ranges_;
  std::mutex work_;  ///< held for a whole change; guards policy_
  std::map<store::StreamId, PolicyRun> policy_;
  mutable std::mutex mutex_;  ///< guards what follows; held for a few lines
  std::map<std::string, store::RecordingRecord, std::less<>> records_;
  std::map<store::StreamId, std::string> names_;
};

}  // namespace lookback::server
