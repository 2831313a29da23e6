#include "packager/program_clock.hpp"

#include <catch2/catch_test_macros.hpp>

using lookback::packager::ProgramClock;

namespace {

constexpr std::int64_t epoch_us = 1'800'000'000'000'000, second_us = 1'000'000;

}  // namespace

TEST_CASE("a source whose first sample came late is dated by its later ones", "[packager][pdt]") {
  ProgramClock clock(epoch_us);
  clock.observe(10 * second_us, epoch_us + 10 * second_us);  // held up by 300 ms
  for (std::int64_t media = 11 * second_us; media < 13 * second_us; media += second_us / 25) {
    clock.observe(media, epoch_us + media - 300'000);
  }
  CHECK(clock.date_of_segment(10 * second_us) == epoch_us + 10 * second_us - 300'000);
  clock.observe(12 * second_us, epoch_us + 12 * second_us - 300'000);
  CHECK(clock.date_of_segment(12 * second_us) == epoch_us + 12 * second_us - 300'000);
}

TEST_CASE("a source that is faster than time keeps its own pace after at most a second", "[packager][pdt]") {
  ProgramClock clock(epoch_us);
  for (std::int64_t media = 10 * second_us; media < 20 * second_us; media += second_us / 25) {
    clock.observe(media, epoch_us + 10 * second_us);
  }
  CHECK(clock.date_of_segment(10 * second_us) == epoch_us + 9 * second_us);
}

TEST_CASE("late samples of a jittery network do not move the dates", "[packager][pdt]") {
  ProgramClock clock(epoch_us);
  clock.observe(10 * second_us, epoch_us + 10 * second_us);
  (void)clock.date_of_segment(10 * second_us);
  for (std::int64_t segment = 12; segment < 100; segment += 2) {
    clock.observe(segment * second_us - 500'000, epoch_us + segment * second_us - 500'000 + 80'000);
    clock.observe(segment * second_us, epoch_us + segment * second_us);  // one on time is enough
    CHECK(clock.date_of_segment(segment * second_us) == epoch_us + segment * second_us);
  }
}

TEST_CASE("dates stand still while arrivals vary by less than 50 ms, and come back to the true time beyond",
          "[packager][pdt]") {
  ProgramClock clock(epoch_us);
  std::int64_t media = 10 * second_us, late = 0;
  const auto next = [&] {
    clock.observe(media, epoch_us + media + late);
    const auto off = clock.date_of_segment(media) - (epoch_us + media);
    media += 2 * second_us;
    return off;
  };
  REQUIRE(next() == 0);
  for (int i = 0; i < 100; ++i) {
    late = i * 17'000 % 49'000;  // the scheduler of a busy encoder
    CHECK(next() == 0);
  }
  late = 50'000;
  for (int i = 1; i <= 50; ++i) CHECK(next() == i * 1'000);  // 0.5 ms per second of 2 s segments
  late = 48'000;
  for (int i = 0; i < 100; ++i) CHECK(next() == 50'000);
}

TEST_CASE("a clock that is off by 40 ppm is never further from the true time than 100 ms",
          "[packager][pdt]") {
  ProgramClock clock(epoch_us);
  for (std::int64_t media = 10 * second_us; media < 86'400 * second_us; media += 2 * second_us) {
    const auto now = epoch_us + media + media / 25'000;
    clock.observe(media, now);
    const auto error = now - clock.date_of_segment(media);
    REQUIRE(error >= -1'000);
    REQUIRE(error <= 51'000);
  }
}

TEST_CASE("a new session starts on time", "[packager][pdt]") {
  ProgramClock clock(epoch_us);
  clock.observe(10 * second_us, epoch_us + 10 * second_us);
  (void)clock.date_of_segment(10 * second_us);
  clock.observe(12 * second_us, epoch_us + 13 * second_us);
  CHECK(clock.date_of_segment(12 * second_us) == epoch_us + 12 * second_us + 1'000);  // 0.5 ms per second
  clock.restart(epoch_us + 14 * second_us);
  clock.observe(60 * second_us, epoch_us + 60 * second_us);
  CHECK(clock.date_of_segment(60 * second_us) == epoch_us + 60 * second_us);
}

TEST_CASE(
    "a session that begins with older media is dated behind the one before, and comes back to the true time",
    "[packager][pdt]") {
  ProgramClock clock(epoch_us);
  clock.observe(10 * second_us, epoch_us + 10 * second_us);
  (void)clock.date_of_segment(10 * second_us);
  // The session ends at 20 s; the next goes on there with media that came 1.5 s before.
  clock.restart(clock.date(20 * second_us));
  constexpr std::int64_t early_us = 1'500'000;
  clock.observe(20 * second_us, epoch_us + 20 * second_us - early_us);
  CHECK(clock.date_of_segment(20 * second_us) == epoch_us + 20 * second_us);
  std::int64_t media = 22 * second_us, date = 0;
  for (; media <= 3'020 * second_us; media += 2 * second_us) {
    clock.observe(media, epoch_us + media - early_us);
    const auto next = clock.date_of_segment(media);
    REQUIRE(next > date);
    date = next;
  }
  CHECK(date == epoch_us + media - 2 * second_us - early_us);  // 1.5 s at 0.5 ms a second: after 3000 s
}
