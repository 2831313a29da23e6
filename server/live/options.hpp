#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace lookback::server {

/// From where on a source is complained of.
struct HealthOptions {
  /// A track that sends nothing: twice what the packager waits before it fills in a gap.
  std::chrono::milliseconds silence{3'000};
  /// HLS authoring 1.13 asks for a key picture every 2 s; twice that costs start-up time and cuts inside
  /// GOPs.
  std::chrono::milliseconds long_gop{4'000};
  /// Between sound and pictures of one instant. The packager gives a track that is 1.5 s behind a gap.
  std::chrono::milliseconds av_apart{1'000};
  /// About a part: beyond it a player at the live edge runs dry between two arrivals.
  std::chrono::milliseconds jitter{350};
  std::chrono::milliseconds clock_offset{1'000};  ///< against the start of the session
  std::chrono::milliseconds jump_memory{60'000};  ///< how long a jump of timestamps is told
  /// How long a rendition's segment that begins without a key picture is told: some of the longest segments.
  std::chrono::milliseconds unaligned_memory{30'000};
  /// Encoders' quartzes are within 50 ppm (ISO/IEC 13818-1 2.4.2.1 allows 30): a clock that is off by more is
  /// set by something else. Parts per million, as the next two.
  std::uint64_t drift_ppm = 100;
  /// SRT asks for lost packets again; above this it has little room left for a burst.
  std::uint64_t loss_ppm = 10'000;
  /// Frame intervals that are off the usual one by a quarter: so many that it is no lost frame here and
  /// there.
  std::uint64_t uneven_frames_ppm = 50'000;
  /// Of the SRT latency. The deployment guide's value is 4; below 3 what is lost twice is lost for good.
  std::uint64_t round_trips = 3;
};

}  // namespace lookback::server
