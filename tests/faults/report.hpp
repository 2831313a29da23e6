#pragma once
#include <cstdint>

namespace lookback::faults {

/// What `store_driver write` tells its parent.
struct Report {
  enum class Kind : std::uint64_t {
    stored,   ///< the part was acknowledged
    durable,  ///< everything up to this segment is durable: flush has returned
  };
  Kind kind{};
  std::uint64_t msn = 0, part = 0;
  std::int64_t time_us = 0;  ///< CLOCK_MONOTONIC: the same in all processes
};

}  // namespace lookback::faults
