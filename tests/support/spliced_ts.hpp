#pragma once
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

/// Transport streams as FFmpeg writes them, with an SCTE-35 PID added: Debian's FFmpeg cannot write cues.
namespace lookback::support {

/// A splice_insert (ANSI/SCTE 35 9.7.3) of the whole programme, with its CRC. `duration`: 90 kHz; 0: none.
std::string splice_insert(std::uint32_t event, bool out, std::uint64_t pts, std::uint64_t duration);

/// `stream` with the PID in its PMT, and each section in a packet before the first picture (PID 0x100) whose
/// PTS is not below the number beside it.
std::string with_splices(const std::string& stream,
                         std::vector<std::pair<std::uint64_t, std::string>> sections);

/// PTS of the first picture, 90 kHz.
std::uint64_t first_pts(const std::string& stream);

}  // namespace lookback::support
