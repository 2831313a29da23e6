#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>

namespace lookback::server {

/// Tells how far a long run over a store has come: on a terminal in one line with rate and time left, four
/// times a second; elsewhere as a plain line every ten seconds. Belongs to one thread.
class ProgressLine {
 public:
  /// `verb`: "verified".
  ProgressLine(std::FILE* to, std::string verb);

  /// For store::verify and store::repair.
  std::function<void(std::uint64_t done, std::uint64_t total)> sink();
  /// Makes the line empty, before something else is printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;

  void show(std::uint64_t done, std::uint64_t total);

  std::FILE* to_;
  const std::string verb_;
  const bool terminal_;
  const Clock::time_point started_;
  Clock::time_point shown_;
  bool is_shown_ = false;
};

/// "1.5 GB", with three significant digits.
std::string size_text(std::uint64_t bytes);
/// "4 h 05 min", "12 min 30 s", "9 s".
std::string time_text(std::chrono::seconds time);

}  // namespace lookback::server
