#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace lookback::server {

/// Wall-clock time that never steps: the monotonic clock plus an offset taken at the start, which follows the
/// system clock by at most 0.5 ms per second. A stepped system clock (NTP, an operator, a wrong RTC) thus
/// neither dates media twice nor expires a window at once. Thread-safe.
class WallClock {
 public:
  WallClock() : offset_us_(system_us() - steady_us()), disciplined_us_(steady_us()) {}

  /// Unix time in microseconds.
  std::int64_t now_us() const { return steady_us() + offset_us_.load(std::memory_order_relaxed); }

  /// Lets the offset follow the system clock; call about once a second, from one thread.
  void discipline() {
    const auto steady = steady_us();
    const auto most = (steady - disciplined_us_) / 2'000;
    const auto error = system_us() - steady - offset_us_.load(std::memory_order_relaxed);
    offset_us_.fetch_add(std::clamp(error, -most, most), std::memory_order_relaxed);
    disciplined_us_ = steady;
  }

 private:
  static std::int64_t system_us() { return count(std::chrono::system_clock::now().time_since_epoch()); }
  static std::int64_t steady_us() { return count(std::chrono::steady_clock::now().time_since_epoch()); }
  template <class D>
  static std::int64_t count(D duration) {
    return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
  }

  std::atomic<std::int64_t> offset_us_;
  std::int64_t disciplined_us_;
};

}  // namespace lookback::server
