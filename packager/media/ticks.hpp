#pragma once
#include <cstdint>

#include "packager/media/sample.hpp"

namespace lookback::packager {

/// `value * to / from` rounded to the nearest integer (halves up), without overflow for media times of
/// centuries.
constexpr std::int64_t rescale(std::int64_t value, std::int64_t from, std::int64_t to) {
  const auto product = static_cast<__int128>(value) * to * 2 + from;
  const auto divisor = static_cast<__int128>(from) * 2;
  auto quotient = product / divisor;
  if (product % divisor < 0) --quotient;  // towards minus infinity
  return static_cast<std::int64_t>(quotient);
}

constexpr Ticks to_ticks(std::int64_t us, std::uint32_t timescale) {
  return rescale(us, 1'000'000, timescale);
}
constexpr std::int64_t to_us(Ticks ticks, std::uint32_t timescale) {
  return rescale(ticks, timescale, 1'000'000);
}

}  // namespace lookback::packager
