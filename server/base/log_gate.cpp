#include "server/base/log_gate.hpp"

#include <utility>

namespace lookback::server {

std::optional<std::uint64_t> LogGate::pass(Clock::time_point now) {
  const std::lock_guard lock(mutex_);
  if (now - period_start_ >= period_) {
    period_start_ = now;
    written_ = 0;
  }
  if (written_ >= lines_) {
    ++held_back_;
    return std::nullopt;
  }
  ++written_;
  return std::exchange(held_back_, 0);
}

}  // namespace lookback::server
