#include "store/usage.hpp"

namespace lookback::store {
namespace {

constexpr std::chrono::seconds step{10};
constexpr std::chrono::hours span{1};

}  // namespace

void GrowthMeter::sample(Clock::time_point now, const Counters& counters) {
  const std::lock_guard lock(mutex_);
  const auto count = samples_.size();
  if (count >= 2 && samples_[count - 1].at - samples_[count - 2].at < step)
    samples_.back() = {now, counters};
  else
    samples_.push_back({now, counters});
  while (samples_.size() > 2 && now - samples_[1].at >= span) samples_.pop_front();
}

GrowthMeter::Rates GrowthMeter::rates() const {
  const std::lock_guard lock(mutex_);
  if (samples_.size() < 2) return {};
  const auto& first = samples_.front();
  const auto& last = samples_.back();
  const auto seconds = std::chrono::duration<double>(last.at - first.at).count();
  if (seconds <= 0) return {};
  const auto rate = [&](std::uint64_t from, std::uint64_t to) {
    return static_cast<double>(to - from) / seconds;
  };
  return {rate(first.counters.written, last.counters.written),
          rate(first.counters.removed, last.counters.removed)};
}

}  // namespace lookback::store
