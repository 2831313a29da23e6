#pragma once
#include <cstdint>

namespace lookback::server::ts {

/// What a transport stream brought and what of it was left out, and why.
struct Counts {
  std::uint64_t packets = 0;
  std::uint64_t skipped_bytes = 0;      ///< outside of any packet
  std::uint64_t bad_packets = 0;        ///< marked as damaged, scrambled or malformed
  std::uint64_t lost_packets = 0;       ///< by the continuity counters; at least so many
  std::uint64_t duplicate_packets = 0;  ///< sent twice, taken once
  std::uint64_t bad_sections = 0;       ///< of PAT, PMT and cues, with a wrong CRC or length
  std::uint64_t damaged_units = 0;      ///< access units or PES packets with something missing or malformed
  std::uint64_t early_units = 0;        ///< before the parameters, or the first key picture
  std::uint64_t ignored_packets = 0;    ///< of PIDs that are not carried
  std::uint64_t video_frames = 0, audio_frames = 0, cues = 0;
};

}  // namespace lookback::server::ts
