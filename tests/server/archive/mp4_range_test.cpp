#include "server/archive/mp4_range.hpp"

#include <catch2/catch_test_macros.hpp>

#include "server/archive/file_name.hpp"

using namespace lookback;
using namespace lookback::server::archive;

namespace {

// date -u -d 2026-11-24T10:00:00Z +%s
constexpr std::int64_t second = 1'000'000, ten_us = 1'795'514'400 * second;
/// An hour from ten o'clock on, with ends between two milliseconds.
constexpr StoredSpan stored{ten_us + 400, ten_us + 3'600 * second + 700};
constexpr std::int64_t now_us = ten_us + 3'602 * second;

Answer<Mp4Range> range(std::string_view query) { return mp4_range(*parse_view(query), stored, now_us); }

void check(std::string_view query, std::int64_t start_s, std::int64_t end_s, bool canonical) {
  CAPTURE(query);
  const auto wanted = range(query);
  REQUIRE(wanted.has_value());
  CHECK(wanted->range.start_us == ten_us + start_s * second);
  CHECK(wanted->range.end_us == ten_us + end_s * second);
  CHECK(wanted->canonical == canonical);
}

}  // namespace

TEST_CASE("a request for an MP4 gives the range that it names, and the newest where it names none",
          "[archive][mp4]") {
  check("", 0, 3'600, false);
  check("start=2026-11-24T10:10:00Z", 600, 3'600, false);
  check("start=2026-11-24T10:10:00Z&end=2026-11-24T10:20:00Z", 600, 1'200, true);
  check("start=2026-11-24T10:10:00Z&duration=10m", 600, 1'200, true);
  check("start=2026-11-24T10:10:00Z&end=2027-01-01T00:00:00Z", 600, 3'600, false);
  check("start=now-1h&end=now-30m", 2, 1'802, false);
  check("start=2026-11-24T09:00:00Z&end=2026-11-24T10:01:00Z", -3'600, 60, true);
  check("window=60", 3'540, 3'600, false);
  check("window=60&delay=62", 3'480, 3'540, false);
  check("window=2h", 0, 3'600, false);
  check("delay=602", 0, 3'000, false);
}

TEST_CASE("a range for an MP4 that is empty or holds nothing is refused", "[archive][mp4]") {
  CHECK(range("window=0").error().status == 400);
  CHECK(range("start=2026-11-24T10:10:00Z&duration=0").error().status == 400);
  CHECK(range("start=2026-11-24T10:10:00Z&end=2026-11-24T10:10:00Z").error().status == 400);
  CHECK(range("start=2026-11-24T11:10:00Z").error().status == 404);
  CHECK(range("start=2026-11-24T09:00:00Z&end=2026-11-24T10:00:00Z").error().status == 404);
  CHECK(range("delay=3h").error().status == 404);
}

TEST_CASE("times in file names have no colons, and durations are rounded to the second", "[archive][mp4]") {
  CHECK(file_time(ten_us + 999'999) == "2026-11-24T100000Z");
  CHECK(file_duration(3'600'000'000) == "1h");
  CHECK(file_duration(5'445'400'000) == "1h30m45s");
  CHECK(file_duration(1) == "1s");
}
