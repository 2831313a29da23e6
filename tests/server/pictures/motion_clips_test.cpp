#include "server/pictures/motion_clips.hpp"

#include <catch2/catch_test_macros.hpp>

#include "tests/server/archive/two_sessions.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace lookback::server::pictures;
using namespace lookback::test;
using namespace std::chrono_literals;

namespace {

const archive::TimeRange always{INT64_MIN, archive::TimeRange::open_end};

/// In seconds after 10:00:00.
std::vector<std::int64_t> begins(const MotionClipSettings& settings, archive::TimeRange range = always,
                                 std::size_t most = 100) {
  std::vector<std::int64_t> out;
  for (const auto& clip : motion_clips(*TwoSessions().presentation, settings, range, most)) {
    CHECK(clip.end_us - clip.start_us == std::chrono::microseconds(settings.duration).count());
    out.push_back((clip.start_us - TwoSessions::ten) / TwoSessions::second);
  }
  return out;
}

}  // namespace

TEST_CASE("motion clips begin at the interval's multiples where there is media", "[pictures][clips]") {
  // The sessions are 10:00:00 to :30 and 10:01:00 to :30; from :20 to :22 the video is a gap.
  CHECK(begins({true, 5s, 30s}) == std::vector<std::int64_t>{0, 60});
  CHECK(begins({true, 5s, 10s}) == std::vector<std::int64_t>{0, 10, 60, 70, 80});
  // From :80 on 15 s would end after what is complete.
  CHECK(begins({true, 15s, 10s}) == std::vector<std::int64_t>{0, 10, 60, 70});
  CHECK(begins({true, 60s, 60s}) == std::vector<std::int64_t>{0});
}

TEST_CASE("of many motion clips the newest are listed, of a range those that begin in it",
          "[pictures][clips]") {
  CHECK(begins({true, 5s, 10s}, always, 2) == std::vector<std::int64_t>{70, 80});
  const auto at = [](std::int64_t s) { return TwoSessions::ten + s * TwoSessions::second; };
  CHECK(begins({true, 5s, 10s}, {at(10), at(70)}) == std::vector<std::int64_t>{10, 60});
  CHECK(begins({true, 5s, 10s}, {at(11), at(60)}).empty());
}

TEST_CASE("the latest motion clip is the last whose media is complete", "[pictures][clips]") {
  const TwoSessions stream;
  const auto latest = latest_motion_clip(*stream.presentation, {true, 5s, 30s});
  REQUIRE(latest.has_value());
  CHECK(latest->start_us == TwoSessions::ten + 60 * TwoSessions::second);
  // Of a minute each, from 10:00:00 on: that one is complete.
  const auto long_one = latest_motion_clip(*stream.presentation, {true, 60s, 60s});
  REQUIRE(long_one.has_value());
  CHECK(long_one->start_us == TwoSessions::ten);
}
