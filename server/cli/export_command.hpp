#pragma once
#include <filesystem>
#include <string>

#include "store/options.hpp"

namespace lookback::server::cli {

/// What `lookback export` was told. Times as in URLs: RFC 3339, Unix, now-90s.
struct ExportOptions {
  store::Options store;
  std::string view;                  ///< "live/news", or "vod/ID" of a recording
  std::string start, end, duration;  ///< empty: from the first media, to the newest
  std::filesystem::path out;
  bool json = false;
};

/// Writes an MP4 of a stored stream or recording to a file, out of a store that no server runs on. The file
/// gets its name when it is whole and durable; on an error nothing is left. Progress goes to standard error
/// (a line that is written over on a terminal, a line every 5 s elsewhere), with --json as objects to
/// standard output. Returns the exit code: 0; 1: the store or the file could not be read or written; 2: the
/// arguments make no sense; 3: there is no such stream or no media in the range; 4: the parameters change
/// inside, the ranges that can be had are listed.
int export_mp4(const ExportOptions& options);

}  // namespace lookback::server::cli
