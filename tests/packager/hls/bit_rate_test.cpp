#include "packager/hls/bit_rate.hpp"

#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <random>

using namespace lookback::packager::hls;

namespace {

struct Segment {
  std::uint64_t msn;
  std::uint32_t size, duration;
  bool gap;
};

/// All contiguous runs of segments that last 0.5 .. 1.5 TARGETDURATION, one by one (rfc8216bis 4.4.6.2).
BitRates by_definition(const std::deque<Segment>& window, double target, double timescale) {
  double peak = 0, bits = 0, time = 0;
  for (std::size_t from = 0; from < window.size(); ++from) {
    double run_bits = 0, run_time = 0;
    for (auto to = from; to < window.size() && !window[to].gap; ++to) {
      run_bits += window[to].size * 8.0;
      run_time += window[to].duration / timescale;
      if (run_time > target * 1.5 + 1e-9) break;
      if (run_time >= target * 0.5 - 1e-9) peak = std::max(peak, run_bits / run_time);
    }
    if (window[from].gap) continue;
    bits += window[from].size * 8.0;
    time += window[from].duration / timescale;
  }
  const auto average = time > 0 ? bits / time : 0;
  return {static_cast<std::uint64_t>(std::max(peak, average)), static_cast<std::uint64_t>(average)};
}

}  // namespace

TEST_CASE("peak and average are those of the window's runs of segments (rules 7, 9)",
          "[packager][hls][bitrate]") {
  std::mt19937 random(3);
  for (const std::uint32_t target : {1u, 2u, 6u}) {
    BitRateMeter meter(90'000, target);
    std::deque<Segment> window;
    for (std::uint64_t msn = 1; msn < 2'000; ++msn) {
      const auto duration = static_cast<std::uint32_t>(9'000 + random() % (target * 90'000 + 36'000));
      window.push_back({msn, static_cast<std::uint32_t>(random() % 2'000'000), duration, random() % 20 == 0});
      const auto& newest = window.back();
      meter.add(newest.msn, newest.size, newest.duration, newest.gap);
      // A run counts until its last segment has left; by definition until its first has: compare whole
      // windows only where they agree, at windows that the oldest peak does not straddle.
      const auto expected = by_definition(window, target, 90'000);
      CHECK(meter.rates().average + 1 >= expected.average);
      CHECK(meter.rates().average <= expected.average + 1);
      CHECK(meter.rates().peak + 1 >= expected.peak);
      if (window.size() == msn) CHECK(meter.rates().peak <= expected.peak + 1);
      while (window.size() > 100 && msn > 1'000) {
        const auto oldest = window.front();
        window.pop_front();
        meter.remove(oldest.msn, oldest.size, oldest.duration, oldest.gap);
      }
    }
  }
}

TEST_CASE("a peak is forgotten when its segments have left the window (rule 8)", "[packager][hls][bitrate]") {
  BitRateMeter meter(90'000, 2);
  meter.add(1, 10'000'000, 180'000, false);
  for (std::uint64_t msn = 2; msn < 20; ++msn) meter.add(msn, 250'000, 180'000, false);
  CHECK(meter.rates().peak == 40'000'000);
  meter.remove(1, 10'000'000, 180'000, false);
  CHECK(meter.rates().peak == 1'000'000);
  CHECK(meter.rates().average == 1'000'000);
}

TEST_CASE("without a run that is long enough the average is the peak", "[packager][hls][bitrate]") {
  BitRateMeter meter(1'000, 2);
  CHECK(meter.rates().peak == 0);
  meter.add(1, 1'000, 500, false);
  CHECK(meter.rates().peak == 16'000);
}
