#include "server/archive/mp4_times.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace lookback::server;

// date -u -d 2026-11-24T10:00:00Z +%s
constexpr std::int64_t ten_us = 1'795'514'400'000'000;

TEST_CASE("every form of a time gives the same instant", "[archive][mp4]") {
  for (const char* text :
       {"2026-11-24T10:00:00Z", "2026-11-24t10:00:00z", "2026-11-24T10:00:00.000Z",
        "2026-11-24T11:00:00+01:00", "2026-11-24T11:00:00%2B01:00", "2026-11-24T04%3A30%3A00-05%3a30",
        "1795514400", "1795514400.0", "1795514400000"}) {
    CAPTURE(text);
    const auto time = parse_mp4_time(text, 0);
    REQUIRE(time.has_value());
    CHECK(time->us == ten_us);
    CHECK_FALSE(time->relative);
  }
  CHECK(parse_mp4_time("2026-11-24T10:00:00.1234567Z", 0)->us == ten_us + 123'456);
  CHECK(parse_mp4_time("now", ten_us)->us == ten_us);
  CHECK(parse_mp4_time("now", ten_us)->relative);
  CHECK(parse_mp4_time("now-90s", ten_us)->us == ten_us - 90'000'000);
  CHECK(parse_mp4_time("now-1.5h", ten_us)->us == ten_us - 5'400'000'000);
}

TEST_CASE("what is no time, and what lies outside of the years 1970 to 9999, is refused", "[archive][mp4]") {
  for (const char* text : {"",
                           "-1",
                           "nonsense",
                           "now-",
                           "now+5s",
                           "now-5y",
                           "2026-11-24",
                           "2026-11-24T10:00:00",
                           "2026-13-24T10:00:00Z",
                           "2026-02-30T10:00:00Z",
                           "2026-11-24T24:00:00Z",
                           "2026-11-24T10:60:00Z",
                           "2026-11-24T10:00:00.Z",
                           "2026-11-24T10:00:00+25:00",
                           "2026-11-24T10:00:00Zx",
                           "1969-12-31T23:59:59Z",
                           "99999999999999999999",
                           "1e9",
                           "0x10",
                           "9999-12-31T23:59:59-01:00",
                           "NaN",
                           "%",
                           "%2"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_mp4_time(text, ten_us).has_value());
  }
}

TEST_CASE("durations have units of seconds, minutes, hours and days", "[archive][mp4]") {
  CHECK(parse_mp4_duration("90") == 90'000'000);
  CHECK(parse_mp4_duration("90s") == 90'000'000);
  CHECK(parse_mp4_duration("0.5m") == 30'000'000);
  CHECK(parse_mp4_duration("1.5h") == 5'400'000'000);
  CHECK(parse_mp4_duration("1d") == 86'400'000'000);
  for (const char* text :
       {"", "0", "-1", "1y", "s", "1e3", "9999999999999d", "99999999999999", "1h30m", "inf"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_mp4_duration(text).has_value());
  }
}

TEST_CASE("times are written in UTC with milliseconds, and in file names without colons", "[archive][mp4]") {
  CHECK(format_mp4_time(ten_us + 1'999) == "2026-11-24T10:00:00.001Z");
  CHECK(file_time(ten_us) == "2026-11-24T100000Z");
  CHECK(file_duration(3'600'000'000) == "1h");
  CHECK(file_duration(5'445'400'000) == "1h30m45s");
  CHECK(file_duration(1) == "1s");
}
