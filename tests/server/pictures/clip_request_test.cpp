#include "server/pictures/clip_request.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace lookback::server;
using namespace lookback::server::pictures;

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t ten = 1'795'514'400 * second;  // 2026-11-24T10:00:00Z

auto parse(std::string_view query) { return parse_clip(query, Options{}); }

/// A minute is stored, from 10:00:00 on, and now is two seconds later.
archive::Answer<ClipRange> range_of(std::string_view query, std::int64_t now_us = ten + 62 * second) {
  return clip_range(parse(query).value(), {ten, ten + 60 * second}, now_us);
}

}  // namespace

TEST_CASE("a clip has a width and a rate of its own, or the usual ones", "[pictures][clips]") {
  const auto usual = parse("start=now-5s");
  REQUIRE(usual.has_value());
  CHECK(usual->width == 320);
  CHECK(usual->fps == 0);
  const auto asked = parse("start=1795514400&duration=2.5s&width=480&fps=15&token=x");
  REQUIRE(asked.has_value());
  CHECK(asked->width == 480);
  CHECK(asked->fps == 15);
  CHECK(parse("start=%6eow-5s")->range.start->relative);  // "now"
}

TEST_CASE("a clip's parameters that make no sense are 400, those out of range 422", "[pictures][clips]") {
  for (const auto* query :
       {"", "end=now", "duration=5", "start=x", "start=now&start=now", "start=now&end=now&duration=5",
        "window=5", "start=now&delay=5", "start=now&width=", "start=now&width=abc", "start=now&width=1e2",
        "start=now&width=-1", "start=now&width=100&width=100", "start=now&fps=12.5",
        "start=now&fps=", "start=now&fps=5&fps=5"}) {
    CAPTURE(query);
    const auto request = parse(query);
    REQUIRE_FALSE(request.has_value());
    CHECK(request.error().status == 400);
  }
  for (const auto* query : {"start=now&width=15", "start=now&width=641",
                            "start=now&width=99999999999999999999", "start=now&fps=0", "start=now&fps=16"}) {
    CAPTURE(query);
    const auto request = parse(query);
    REQUIRE_FALSE(request.has_value());
    CHECK(request.error().status == 422);
  }
  CHECK(parse("start=now&fps=16").error().detail ==
        "fps is out of range; allowed is 1 to 15 pictures a second");
}

TEST_CASE("a clip lasts a second to a minute", "[pictures][clips]") {
  for (const auto* query : {"start=1795514400&duration=0.999", "start=1795514400&duration=60.001",
                            "start=1795514400&end=1795514400.5", "start=1795514400&end=1795514461"}) {
    CAPTURE(query);
    const auto range = range_of(query);
    REQUIRE_FALSE(range.has_value());
    CHECK(range.error().status == 422);
  }
  CHECK(range_of("start=1795514400&duration=61").error().detail ==
        "duration is out of range; a clip lasts 1 to 60 seconds");
  CHECK(range_of("start=1795514400&duration=1").has_value());
  CHECK(range_of("start=1795514400&duration=60").has_value());
  CHECK(range_of("start=1795514405&end=1795514404").error().status == 400);
}

TEST_CASE("a clip without an end lasts five seconds", "[pictures][clips]") {
  const auto clip = range_of("start=1795514410");
  REQUIRE(clip.has_value());
  CHECK(clip->range.start_us == ten + 10 * second);
  CHECK(clip->range.end_us == ten + 15 * second);
  CHECK(clip->settled);
}

TEST_CASE("a relative clip is moved back to what is stored", "[pictures][clips]") {
  // 10:00:57 to 10:01:02 is wanted; what is stored ends with 10:01:00.
  const auto moved = range_of("start=now-5s&end=now");
  REQUIRE(moved.has_value());
  CHECK(moved->range.start_us == ten + 55 * second);
  CHECK(moved->range.end_us == ten + 60 * second);
  CHECK(canonical_query(parse("start=now-5s&fps=10").value(), moved->range) ==
        "start=2026-11-24T10:00:55.000Z&end=2026-11-24T10:01:00.000Z&width=320&fps=10");
  const auto past = range_of("start=now-30s&duration=5s");  // is there as it is
  REQUIRE(past.has_value());
  CHECK(past->range.start_us == ten + 32 * second);
}

TEST_CASE("an absolute clip is cut to what is stored, and is not settled then", "[pictures][clips]") {
  const auto front = range_of("start=1795514395&duration=10");
  REQUIRE(front.has_value());
  CHECK(front->range.start_us == ten);
  CHECK(front->range.end_us == ten + 5 * second);
  CHECK_FALSE(front->settled);
  const auto end = range_of("start=1795514459&duration=2");  // to 10:01:01, which is over
  REQUIRE(end.has_value());
  CHECK(end->range.end_us == ten + 60 * second);
  CHECK_FALSE(end->settled);
}

TEST_CASE("a clip of nothing, or of the future, is 404 with the reason", "[pictures][clips]") {
  CHECK(range_of("start=1795514300&duration=5").error().status == 404);
  CHECK(range_of("start=1795514460&duration=1").error().status == 404);
  CHECK(range_of("start=1795514459&duration=5").error().detail ==
        "the clip is not over yet; ask again when its end has passed");
  CHECK(range_of("start=1795514500&duration=5").error().detail ==
        "the clip lies in the future; ask again when it is over");
}
