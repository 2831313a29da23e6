#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "conf/errc.hpp"
#include "store/base/result.hpp"

/// Durations, sizes and shares as an operator writes them. Pure; integers only, no rounding.
namespace lookback::conf {

/// "334ms", "2s", "1.5s", "1h30m", "4h", "7d". Units: us, ms, s, m, h, d; several go from large to small.
/// Errors: not_a_number, missing_unit, unknown_unit, units_out_of_order, too_fine, too_large.
Result<std::chrono::microseconds> parse_duration(std::string_view text);

/// "512B", "64KiB", "50MiB", "1.5GiB", "500GB". KiB, MiB, GiB, TiB count by 1024; kB, MB, GB, TB by 1000.
/// At most 2^63 - 1. Errors: not_a_number, missing_unit, unknown_unit, too_fine, too_large.
Result<std::uint64_t> parse_size(std::string_view text);

/// "1%", "0.5%", "100ppm", in parts per million. Errors: not_a_number, missing_unit, unknown_unit, too_fine,
/// too_large.
Result<std::uint64_t> parse_share(std::string_view text);

/// The shortest single-unit text that `parse_duration` reads back as the same value; "0s" for zero.
std::string format_duration(std::chrono::microseconds value);
/// The shortest single-unit text (binary units) that `parse_size` reads back as the same value.
std::string format_size(std::uint64_t bytes);
/// "0.5%" is written as "5000ppm": whole percents where they do.
std::string format_share(std::uint64_t ppm);

}  // namespace lookback::conf
