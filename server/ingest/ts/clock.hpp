#pragma once
#include <cstdint>
#include <limits>
#include <optional>

#include "packager/media/ticks.hpp"

namespace lookback::server::ts {

/// PTS and DTS count 90,000 in a second in 33 bits: they wrap after 26.5 h (ISO/IEC 13818-1 2.4.3.7).
inline constexpr std::uint32_t clock_hz = 90'000;
inline constexpr std::int64_t wrap_ticks = std::int64_t{1} << 33;

/// `to - from` of two timestamps, taken as a step of less than half a wrap in either direction.
constexpr std::int64_t step_between(std::uint64_t from, std::uint64_t to) {
  const auto step = static_cast<std::int64_t>(to - from) & (wrap_ticks - 1);
  return step >= wrap_ticks / 2 ? step - wrap_ticks : step;
}

/// Makes the timestamps of one program count on, for ever. All its PIDs share one, so that one that wraps
/// first does not leave the others behind.
class Clock {
 public:
  std::int64_t unwrap(std::uint64_t timestamp) {
    // Driven that far (3,000 years) by jumps, it starts anew, so that it cannot overflow.
    constexpr auto farthest = std::numeric_limits<std::int64_t>::max() / 1'024;
    if (!last_ || *last_ > farthest || *last_ < -farthest) {
      last_ = static_cast<std::int64_t>(timestamp);
    } else {
      *last_ += step_between(static_cast<std::uint64_t>(*last_), timestamp);
    }
    return *last_;
  }

  /// A time that is told beside the media, and moves nothing. Empty: none has come yet.
  std::optional<std::int64_t> near(std::uint64_t timestamp) const {
    if (!last_) return std::nullopt;
    return *last_ + step_between(static_cast<std::uint64_t>(*last_), timestamp);
  }

 private:
  std::optional<std::int64_t> last_;
};

constexpr std::int64_t ticks_to_us(std::int64_t ticks) { return packager::to_us(ticks, clock_hz); }

}  // namespace lookback::server::ts
