#include "server/cli/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace lookback::server {
namespace {

constexpr std::chrono::milliseconds terminal_interval{250}, plain_interval{10'000};

}  // namespace

ProgressLine::ProgressLine(std::FILE* to, std::string verb)
    : to_(to),
      verb_(std::move(verb)),
      terminal_(::isatty(::fileno(to)) == 1),
      started_(Clock::now()),
      shown_(started_) {}

std::function<void(std::uint64_t, std::uint64_t)> ProgressLine::sink() {
  return [this](std::uint64_t done, std::uint64_t total) {
    const auto now = Clock::now();
    if (now - shown_ < (terminal_ ? terminal_interval : plain_interval)) return;
    shown_ = now;
    show(done, total);
  };
}

void ProgressLine::show(std::uint64_t done, std::uint64_t total) {
  const auto seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  const auto rate = static_cast<double>(done) / std::max(seconds, 0.001);
  const auto left = total > done && rate > 0 ? static_cast<double>(total - done) / rate : 0;
  const auto line = fmt::format("{} {} of {}, {}/s, {} left", verb_, size_text(done), size_text(total),
                                size_text(static_cast<std::uint64_t>(rate)),
                                time_text(std::chrono::seconds(static_cast<std::int64_t>(left))));
  std::fprintf(to_, terminal_ ? "\r\033[K%s" : "%s\n", line.c_str());
  std::fflush(to_);
  is_shown_ = terminal_;
}

void ProgressLine::clear() {
  if (std::exchange(is_shown_, false)) std::fputs("\r\033[K", to_);
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array units = {"B", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < units.size(); ++unit) value /= 1'000;
  const int digits = unit == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f} {}", value, digits, units[unit]);
}

std::string time_text(std::chrono::seconds time) {
  const auto s = time.count();
  if (s >= 3'600) return fmt::format("{} h {:02} min", s / 3'600, s / 60 % 60);
  if (s >= 60) return fmt::format("{} min {:02} s", s / 60, s % 60);
  return fmt::format("{} s", s);
}

}  // namespace lookback::server
