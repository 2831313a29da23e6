#include "packager/hls/bit_rate.hpp"

#include <algorithm>

namespace lookback::packager::hls {

BitRateMeter::BitRateMeter(std::uint32_t timescale, std::uint32_t target_duration_s)
    : timescale_(timescale),
      shortest_run_(std::uint64_t{timescale} * target_duration_s / 2),
      longest_run_(std::uint64_t{timescale} * target_duration_s * 3 / 2) {}

std::uint64_t BitRateMeter::rate(Length length) const {
  if (length.ticks == 0) return 0;
  return static_cast<std::uint64_t>(static_cast<double>(length.size_bytes) * 8 * timescale_ /
                                    static_cast<double>(length.ticks));
}

void BitRateMeter::add(std::uint64_t msn, std::uint32_t size_bytes, std::uint32_t duration, bool gap) {
  if (gap) {
    run_.clear();
    run_ticks_ = 0;
    return;
  }
  total_.size_bytes += size_bytes;
  total_.ticks += duration;
  run_.push_back({size_bytes, duration});
  run_ticks_ += duration;
  while (!run_.empty() && run_ticks_ > longest_run_) {
    run_ticks_ -= run_.front().ticks;
    run_.pop_front();
  }
  Length length;
  std::uint64_t largest = 0;
  for (auto segment = run_.rbegin(); segment != run_.rend(); ++segment) {
    length.size_bytes += segment->size_bytes;
    length.ticks += segment->ticks;
    if (length.ticks >= shortest_run_) largest = std::max(largest, rate(length));
  }
  if (largest == 0) return;
  while (!peaks_.empty() && peaks_.back().rate <= largest) peaks_.pop_back();
  peaks_.push_back({msn, largest});
}

void BitRateMeter::remove(std::uint64_t msn, std::uint32_t size_bytes, std::uint32_t duration, bool gap) {
  while (!peaks_.empty() && peaks_.front().msn <= msn) peaks_.pop_front();
  if (gap) return;
  total_.size_bytes -= size_bytes;
  total_.ticks -= duration;
}

BitRates BitRateMeter::rates() const {
  BitRates rates;
  rates.average = rate(total_);
  rates.peak = peaks_.empty() ? rates.average : std::max(peaks_.front().rate, rates.average);
  return rates;
}

}  // namespace lookback::packager::hls
