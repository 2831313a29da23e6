#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "packager/errc.hpp"
#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

namespace lookback::server::ts {

/// One thing that a splice_info_section says.
struct Splice {
  enum class Kind { out, in, cancel, command } kind = Kind::command;
  std::string event;                      ///< the same for both ends of a break
  std::optional<std::uint64_t> pts;       ///< 33 bits of 90 kHz, adjusted; empty: at once
  std::optional<std::uint64_t> duration;  ///< ticks of 90 kHz; > 0
};

/// Longest section (ANSI/SCTE 35 9.6.1).
inline constexpr std::size_t max_splice_section_bytes = 4'096;

/// Reads a splice_info_section (ANSI/SCTE 35 9.6) whose CRC is good. splice_insert is a break's end. A
/// time_signal has one entry for each segmentation_descriptor: breaks, advertisements and placement
/// opportunities have ends, other types are commands; at most 16. Null commands and bandwidth reservations
/// give nothing; what is encrypted, or not known, is one command. Errors: truncated.
Result<std::vector<Splice>> parse_splice_section(ByteSpan section);

}  // namespace lookback::server::ts
