#include "server/pictures/thumbnail_request.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace lookback::server;
using namespace lookback::server::pictures;

namespace {

auto parse(std::string_view query) { return parse_thumbnail(query, ImageFormat::jpeg, 1'920); }

}  // namespace

TEST_CASE("a thumbnail without parameters is the latest, of a page's width", "[pictures][request]") {
  const auto request = parse("");
  REQUIRE(request.has_value());
  CHECK_FALSE(request->time.has_value());
  CHECK_FALSE(request->moves());
  CHECK(request->size.width == 640);
  CHECK(request->size.height == 0);
}

TEST_CASE("relative times are told from absolute ones", "[pictures][request]") {
  CHECK(parse("time=latest")->moves());
  CHECK(parse("time=now-90s")->moves());
  CHECK_FALSE(parse("time=1764000000")->moves());
  const auto escaped = parse("time=2026-11-24T10%3A00%3A00Z&width=320");
  REQUIRE(escaped.has_value());
  CHECK_FALSE(escaped->moves());
  // 2026-11-24 is 20,781 days after 1970-01-01: 56 years of 365 days, 14 leap days, 327 days of this year.
  CHECK(escaped->time->us == (20'781ll * 24 + 10) * 3'600 * 1'000'000);
  CHECK(canonical_query(*escaped, escaped->time->us) == "time=2026-11-24T10:00:00.000Z&width=320");
}

TEST_CASE("what makes no sense is 400, what is out of range 422 with the range", "[pictures][request]") {
  const auto status = [](std::string_view query) { return parse(query).error().status; };
  for (const auto* query :
       {"time=x", "time=latest&time=latest", "width=", "width=abc", "width=-1", "width=320px",
        "width=16&width=17", "fit=round", "fit=cover", "fit=fill&width=100", "width=1e3"}) {
    CAPTURE(query);
    CHECK(status(query) == 400);
  }
  for (const auto* query : {"width=15", "height=0", "width=1921", "height=99999999999999999999"}) {
    CAPTURE(query);
    CHECK(status(query) == 422);
  }
  CHECK(parse("width=1921").error().detail == "width is out of range; allowed is 16 to 1920 pixels");
  CHECK(parse("width=16&height=1920&fit=cover").has_value());
}

TEST_CASE("parameters of others are passed over", "[pictures][request]") {
  CHECK(parse("fps=10&token=a&width=320")->size.width == 320);
}
