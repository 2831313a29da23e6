#pragma once
#include <cstdint>
#include <optional>
#include <string>

namespace lookback::packager {

/// A splice point in a source (SCTE-35), as far as playlists tell of it (rfc8216bis 4.4.5.1, "Mapping
/// SCTE-35").
struct SourceCue {
  enum class Kind {
    out,      ///< a break begins: SCTE35-OUT
    in,       ///< ... and ends: SCTE35-IN
    cancel,   ///< ... and does not take place
    command,  ///< anything else: SCTE35-CMD
  };
  Kind kind = Kind::command;
  /// What it is about, the same for the two ends of a break: letters, digits, '-'. Sources use it again.
  std::string event;
  std::optional<std::int64_t> pts_us;       ///< when it takes effect, on the samples' clock; empty: now
  std::optional<std::int64_t> duration_us;  ///< of the break, as planned; > 0
  std::string section;                      ///< the splice_info_section, in hexadecimal digits
};

}  // namespace lookback::packager
