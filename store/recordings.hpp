#pragma once
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "store/writer.hpp"

namespace lookback::store {

/// The recordings: in memory, in the index, and mirrored in `recordings.log`. Thread-safe.
class Recordings {
 public:
  Recordings(Core& core, Writer& writer) : core_(core), writer_(writer) {}

  /// What the index holds; tells the extent table what is referenced. Before the extents are loaded.
  Result<void> load();
  /// Writes the mirror anew. Errors are logged: the next change tries again.
  void write_log();

  /// Durable on return. Blocking. Errors: as Store says.
  Result<void> put(const RecordingRecord& recording);
  Result<void> erase(const std::string& id);
  /// By id. From memory.
  std::vector<RecordingRecord> all() const;
  Result<RecordingRecord> find(const std::string& id) const;

 private:
  using ById = std::map<std::string, RecordingRecord>;

  Result<void> change(const ById& before, const ById& after, const std::string& id);
  Result<void> apply(const ById& after, const std::string& id, StreamId stream, std::uint64_t from_msn);
  Result<void> make_durable(const ById& after, const std::string& id);

  Core& core_;
  Writer& writer_;
  std::mutex changes_;        ///< one change at a time, from memory to disk
  mutable std::mutex mutex_;  ///< guards what follows
  ById by_id_;
};

}  // namespace lookback::store
