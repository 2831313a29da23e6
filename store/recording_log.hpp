#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "store/base/result.hpp"
#include "store/block_log.hpp"
#include "store/options.hpp"
#include "store/records.hpp"

namespace lookback::store {

inline constexpr const char* recording_log_name = "recordings.log";

/// Recordings beside the index (`recordings.log`, FORMAT.md): extents say nothing of them, and a rebuild of
/// the index must give them back. Thread-safe.
class RecordingLog {
 public:
  RecordingLog(const std::filesystem::path& folder, const Log& log)
      : file_(folder, recording_log_name, 1 << 20, log) {}

  /// Writes the log anew with these. Durable on return. Blocking. Errors: those of BlockLog; logged.
  Result<void> rewrite(const std::vector<RecordingRecord>& recordings);
  /// Adds an entry (below). Durable on return. Blocking. Errors: as above; logged. After one the log has to
  /// be written anew.
  Result<void> append(const std::string& entry);
  /// It has grown far beyond what is newest in it, or the last write failed.
  bool wants_rewrite() const;

 private:
  mutable std::mutex mutex_;  ///< guards what follows
  BlockLog file_;
};

/// Entries of the log.
std::string log_entry(const RecordingRecord& recording);
std::string erased_log_entry(const std::string& recording);

struct RecordingLogContents {
  std::map<std::string, RecordingRecord> recordings;  ///< by id, without those erased
  std::uint64_t bad_bytes = 0;                        ///< that no entry covers
};
/// Reads the log of a store; nothing when there is none. Blocking. Errors: io_error.
Result<RecordingLogContents> read_recording_log(const std::filesystem::path& folder);

}  // namespace lookback::store
