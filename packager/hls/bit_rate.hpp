#pragma once
#include <cstdint>
#include <deque>

namespace lookback::packager::hls {

/// Bits per second of one rendition, as BANDWIDTH and AVERAGE-BANDWIDTH count them (rfc8216bis 4.4.6.2).
struct BitRates {
  std::uint64_t peak = 0;     ///< largest of any run of segments that lasts 0.5 .. 1.5 TARGETDURATION
  std::uint64_t average = 0;  ///< over all listed segments but gaps
};

/// Measures the segments of a sliding window as they come and go. Belongs to its stream's strand.
class BitRateMeter {
 public:
  BitRateMeter(std::uint32_t timescale, std::uint32_t target_duration_s);

  /// The next complete segment. `duration` in ticks. A gap interrupts all runs.
  void add(std::uint64_t msn, std::uint32_t size_bytes, std::uint32_t duration, bool gap);
  /// The oldest segment leaves the window.
  void remove(std::uint64_t msn, std::uint32_t size_bytes, std::uint32_t duration, bool gap);

  BitRates rates() const;

 private:
  struct Length {
    std::uint64_t size_bytes = 0, ticks = 0;
  };
  struct Peak {
    std::uint64_t msn = 0;  ///< of the run's last segment
    std::uint64_t rate = 0;
  };

  std::uint64_t rate(Length length) const;

  std::uint32_t timescale_;
  std::uint64_t shortest_run_, longest_run_;  ///< ticks
  std::deque<Length> run_;                    ///< the newest segments, no more than the longest run
  std::uint64_t run_ticks_ = 0;
  std::deque<Peak> peaks_;  ///< rates fall from front to back: the front is the window's largest
  Length total_;
};

}  // namespace lookback::packager::hls
