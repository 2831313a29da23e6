#pragma once
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace lookback::server {

/// Bounds how many lines peers can make the server write. Thread-safe.
class LogGate {
 public:
  using Clock = std::chrono::steady_clock;

  /// `lines` in each `period`.
  LogGate(std::uint32_t lines, Clock::duration period) : lines_(lines), period_(period) {}

  /// Empty: do not write. Otherwise how many lines were held back since the last one that was written.
  std::optional<std::uint64_t> pass(Clock::time_point now);

 private:
  const std::uint32_t lines_;
  const Clock::duration period_;
  std::mutex mutex_;
  Clock::time_point period_start_{};
  std::uint32_t written_ = 0;
  std::uint64_t held_back_ = 0;
};

}  // namespace lookback::server
