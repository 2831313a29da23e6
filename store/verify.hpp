#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "store/base/result.hpp"
#include "store/options.hpp"

/// Reads a whole store that nobody has open, and compares all that it holds with what it should be. Changes
/// nothing.
namespace lookback::store {

/// One thing that is not as it should be.
struct Finding {
  enum class Kind {
    index,    ///< a table or record of the index
    extent,   ///< an extent file as a whole: missing, short, unknown, its header
    segment,  ///< bytes of a segment: players would get other bytes than were published
    sheet,    ///< bytes of a sprite sheet
    block,    ///< what only a rebuild of the index would need
  };
  Kind kind{};
  std::string stream = {}, generation = {}, track = {};  ///< empty where it is about none
  std::optional<std::uint64_t> msn = {};
  std::uint64_t extent = 0;                  ///< 0: none
  std::uint64_t offset = 0;                  ///< in the extent
  std::uint64_t size_bytes = 0;              ///< of what is damaged there, as narrow as checksums tell
  std::string what = {};                     ///< "part 3 does not match its checksum"
  std::vector<std::string> recordings = {};  ///< ids of those that hold the segment
};

/// "live/news/v0-k3f9-123: part 3 ... (0000000000000005.ext, bytes 1000 to 2000), of recording abcdefghij01"
std::string describe(const Finding& finding);

struct VerifyReport {
  static constexpr std::size_t max_findings = 100'000;

  std::uint64_t streams = 0, recordings = 0, extents = 0, segments = 0, gaps = 0, sheets = 0;
  std::uint64_t bytes = 0;         ///< read
  std::uint64_t damaged = 0;       ///< findings, those beyond max_findings among them
  std::vector<Finding> findings;   ///< the first max_findings
  std::vector<std::string> notes;  ///< what is odd, but no damage
  std::chrono::milliseconds elapsed{0};
};

/// Called every few MiB: bytes done and bytes in all.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

/// Blocking. Errors, when it cannot even begin: in_use, newer_format, not_a_store, read_only, damaged,
/// io_error; said in words to `log`.
Result<VerifyReport> verify(const std::filesystem::path& path, const Log& log, const Progress& progress);

}  // namespace lookback::store
