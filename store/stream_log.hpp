#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "store/base/result.hpp"
#include "store/block_log.hpp"
#include "store/catalog.hpp"
#include "store/options.hpp"
#include "store/records.hpp"

namespace lookback::store {

inline constexpr const char* stream_log_name = "streams.log";

/// Streams, tracks and their newest inits beside the index (`streams.log`, FORMAT.md): what extents alone
/// cannot give back, as a stream may have none left, or has changed since the last one was begun.
/// Thread-safe.
class StreamLog {
 public:
  StreamLog(const std::filesystem::path& folder, const Log& log)
      : file_(folder, stream_log_name, 4 << 20, log) {}

  /// Writes the log anew from the index. Blocking. Errors: those of BlockLog; logged.
  Result<void> rewrite(const Catalog& catalog);
  /// Adds entries (below) behind the index's own write. What fails is logged: a rebuild would miss it.
  void append(const std::string& entries, const Catalog& catalog);
  /// Makes it durable. Errors: io_error; logged.
  Result<void> sync();

 private:
  Result<void> rewrite_locked(const Catalog& catalog);

  std::mutex mutex_;  ///< guards what follows
  BlockLog file_;
};

/// Entries of the log.
std::string log_entry(const StreamRecord& stream);
std::string log_entry(StreamId stream, const TrackRecord& track);
std::string log_entry(StreamId stream, const InitRecord& init);

/// What a log holds: of each record the newest.
struct StreamLogContents {
  struct Track {
    std::map<TrackId, TrackRecord> tracks;
    std::map<std::pair<TrackId, std::uint32_t>, InitRecord> inits;
  };
  std::map<StreamId, StreamRecord> streams;
  std::map<StreamId, Track> tracks;
  std::uint64_t bad_bytes = 0;  ///< that no entry covers
};
/// Reads the log of a store; nothing when there is none. Blocking. Errors: io_error.
Result<StreamLogContents> read_stream_log(const std::filesystem::path& folder);

}  // namespace lookback::store
