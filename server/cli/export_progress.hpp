#pragma once
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>

namespace lookback::server::cli {

/// Tells how far a long copy is. Belongs to its caller.
class ExportProgress {
 public:
  ExportProgress(std::uint64_t total_bytes, bool json)
      : total_(total_bytes), json_(json), terminal_(!json && ::isatty(STDERR_FILENO) == 1) {}

  void at(std::uint64_t bytes) {
    const auto now = Clock::now();
    if (now - shown_ < (terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(5'000)))
      return;
    shown_ = now;
    show(bytes, now);
  }
  /// Ends the line on a terminal.
  void end() {
    if (terminal_) std::fputs("\r\033[K", stderr);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void show(std::uint64_t bytes, Clock::time_point now) const {
    const auto seconds = std::chrono::duration<double>(now - started_).count();
    const auto rate = seconds > 0 ? static_cast<double>(bytes) / seconds : 0.0;
    const auto left = rate > 0 ? static_cast<double>(total_ - bytes) / rate : 0.0;
    if (json_) {
      std::printf(
          "{\"event\":\"progress\",\"bytes\":%llu,\"total\":%llu,\"bytes_per_second\":%.0f,\"seconds_left\":%"
          ".1f}\n",
          static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(total_), rate, left);
      std::fflush(stdout);
      return;
    }
    std::fprintf(stderr, "%s%3.0f %%  %.1f of %.1f MB  %.1f MB/s  %.0f s left%s", terminal_ ? "\r\033[K" : "",
                 100.0 * static_cast<double>(bytes) / static_cast<double>(total_),
                 static_cast<double>(bytes) / 1e6, static_cast<double>(total_) / 1e6, rate / 1e6, left,
                 terminal_ ? "" : "\n");
  }

  const std::uint64_t total_;
  const bool json_, terminal_;
  const Clock::time_point started_ = Clock::now();
  Clock::time_point shown_ = started_;
};

}  // namespace lookback::server::cli
