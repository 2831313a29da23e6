#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

#include "store/base/result.hpp"
#include "store/options.hpp"
#include "store/records.hpp"

/// What a store that nobody has open holds: counted from its index. Changes nothing.
namespace lookback::store {

/// Media of a track in one piece: no gap and no discontinuity inside.
struct Stretch {
  std::uint64_t first_msn = 0, last_msn = 0;
  std::int64_t start_pdt_us = 0, end_pdt_us = 0;  ///< wall clock (Unix us)
  std::uint64_t size_bytes = 0;
};

struct TrackSurvey {
  TrackRecord track;
  std::uint64_t segments = 0;  ///< gaps among them
  std::uint64_t gaps = 0;
  std::uint64_t size_bytes = 0;         ///< of media
  std::vector<Stretch> stretches = {};  ///< oldest first
};

struct StreamSurvey {
  StreamRecord stream;
  std::vector<TrackSurvey> tracks;
  std::uint64_t sheets = 0, sheet_bytes = 0;  ///< sprite sheets
};

struct RecordingSurvey {
  RecordingRecord recording;
  std::string stream;          ///< name
  std::uint64_t segments = 0;  ///< of all tracks, gaps among them
  std::uint64_t gaps = 0;
  std::uint64_t size_bytes = 0;  ///< of media
};

struct Survey {
  std::vector<StreamSurvey> streams;
  std::vector<RecordingSurvey> recordings;
  std::uint64_t extents = 0;
  std::uint64_t extent_bytes = 0;
  std::uint64_t index_bytes = 0;  ///< files of the index
  bool stopped_clean = true;      ///< false: the next start has something to mend
};

/// Blocking. Errors: in_use, newer_format, not_a_store, read_only, damaged, io_error; said in words to `log`.
Result<Survey> survey(const std::filesystem::path& path, const Log& log);

}  // namespace lookback::store
