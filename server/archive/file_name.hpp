#pragma once
#include <cstdint>
#include <string>

/// Times as they stand in names of files that are saved. Pure.
namespace lookback::server::archive {

/// "2026-11-24T100000Z": without colons, cut to the second. `us`: Unix us.
std::string file_time(std::int64_t us);
/// "1h", "1h30m", "45s": rounded to the second, at least 1 s.
std::string file_duration(std::int64_t us);

}  // namespace lookback::server::archive
