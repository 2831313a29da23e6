#include "server/ingest/rtmp/wake_threshold.hpp"

#include <catch2/catch_test_macros.hpp>

using lookback::server::rtmp::WakeThreshold;

TEST_CASE("a publisher's socket wakes for every byte until a window of frames was seen", "[rtmp]") {
  WakeThreshold wake;
  for (std::size_t i = 0; i + 1 < WakeThreshold::window; ++i) {
    wake.video_frame(10'000);
    CHECK(wake.bytes() == 1);
  }
  wake.video_frame(1'000);
  CHECK(wake.bytes() == 500);  // half of the smallest
}

TEST_CASE("the threshold falls with the first smaller frame and rises after a whole window", "[rtmp]") {
  WakeThreshold wake;
  for (std::size_t i = 0; i < WakeThreshold::window; ++i) wake.video_frame(3'000);
  CHECK(wake.bytes() == 1'500);
  wake.video_frame(100);
  CHECK(wake.bytes() == 50);
  for (std::size_t i = 0; i < WakeThreshold::window - 1; ++i) wake.video_frame(3'000);
  CHECK(wake.bytes() == 50);
  for (std::size_t i = 0; i < WakeThreshold::window; ++i) wake.video_frame(3'000);
  CHECK(wake.bytes() == 1'500);
}

TEST_CASE("huge frames keep the threshold small", "[rtmp]") {
  WakeThreshold wake;
  for (std::size_t i = 0; i < WakeThreshold::window; ++i) wake.video_frame(1'000'000);
  CHECK(wake.bytes() == WakeThreshold::most_bytes);
}
