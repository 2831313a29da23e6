#include "server/http/field_values.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace lookback::server::http;

TEST_CASE("If-None-Match compares weakly, over lists and with * (RFC 9110 13.1.2)", "[http][etag]") {
  CHECK(if_none_match(R"("a")", R"("a")"));
  CHECK(if_none_match(R"(W/"a")", R"("a")"));
  CHECK(if_none_match(R"("x", W/"y",  "a")", R"("a")"));
  CHECK(if_none_match("*", R"("a")"));
  CHECK(if_none_match(R"("x,y", "a")", R"("a")"));
  CHECK_FALSE(if_none_match(R"("A")", R"("a")"));
  CHECK_FALSE(if_none_match(R"("aa")", R"("a")"));
  CHECK_FALSE(if_none_match("a", R"("a")"));
  CHECK_FALSE(if_none_match(R"("a)", R"("a")"));
  CHECK_FALSE(if_none_match(R"("x" junk "a")", R"("a")"));
  CHECK_FALSE(if_none_match("", R"("a")"));
}

TEST_CASE("If-Range wants exactly the strong tag (RFC 9110 13.1.5)", "[http][etag]") {
  CHECK(if_range("", R"("a")"));
  CHECK(if_range(R"("a")", R"("a")"));
  CHECK_FALSE(if_range(R"(W/"a")", R"("a")"));
  CHECK_FALSE(if_range(R"("b")", R"("a")"));
  CHECK_FALSE(if_range("Wed, 21 Oct 2026 07:28:00 GMT", R"("a")"));
}

TEST_CASE("gzip is sent only where it is wanted (RFC 9110 12.5.3)", "[http][encoding]") {
  for (const auto* wanted : {"gzip", "GZIP", "x-gzip", "deflate, gzip", "gzip;q=0.5", "gzip; q=0.001",
                             "br;q=1, gzip ; q=1", "*", "*;q=0.1", "identity;q=0, gzip"}) {
    CAPTURE(wanted);
    CHECK(accepts_gzip(wanted));
  }
  for (const auto* unwanted : {"", "identity", "br", "gzip;q=0", "gzip;q=0.000", "gzip ; Q=0", "*;q=0",
                               "gzip;q=0, *", "gzipped", "gzip;q=", "deflate"}) {
    CAPTURE(unwanted);
    CHECK_FALSE(accepts_gzip(unwanted));
  }
}

namespace {

struct RangeCase {
  const char* value;
  std::uint64_t size;
  ByteRange::Kind kind;
  std::uint64_t first, last;  ///< inclusive, as the field counts
};

using Kind = ByteRange::Kind;

const RangeCase range_cases[] = {
    {"bytes=0-0", 1000, Kind::part, 0, 0},
    {"bytes=0-499", 1000, Kind::part, 0, 499},
    {"bytes=500-999", 1000, Kind::part, 500, 999},
    {"bytes=500-", 1000, Kind::part, 500, 999},
    {"bytes=999-", 1000, Kind::part, 999, 999},
    {"bytes=-1", 1000, Kind::part, 999, 999},
    {"bytes=-1000", 1000, Kind::part, 0, 999},
    {"bytes=-5000", 1000, Kind::part, 0, 999},
    {"bytes=900-5000", 1000, Kind::part, 900, 999},
    {"bytes=0-9007199254740991", 1000, Kind::part, 0,
     999},  // a preload hint without an end (rfc8216bis 4.4.5.3)
    {"bytes=10-99999999999999999999", 1000, Kind::part, 10, 999},
    {"BYTES=1-2", 1000, Kind::part, 1, 2},
    {"bytes= 1-2 ", 1000, Kind::part, 1, 2},
    {"bytes=1000-", 1000, Kind::unsatisfiable, 0, 0},
    {"bytes=1000-1001", 1000, Kind::unsatisfiable, 0, 0},
    {"bytes=18446744073709551616-", 1000, Kind::unsatisfiable, 0, 0},
    {"bytes=-0", 1000, Kind::unsatisfiable, 0, 0},
    {"bytes=0-", 0, Kind::unsatisfiable, 0, 0},
    {"bytes=5-4", 1000, Kind::whole, 0, 0},
    {"bytes=0-1,3-4", 1000, Kind::whole, 0, 0},
    {"bytes=", 1000, Kind::whole, 0, 0},
    {"bytes=-", 1000, Kind::whole, 0, 0},
    {"bytes=a-b", 1000, Kind::whole, 0, 0},
    {"bytes=1-b", 1000, Kind::whole, 0, 0},
    {"bytes=+1-2", 1000, Kind::whole, 0, 0},
    {"bytes=1--2", 1000, Kind::whole, 0, 0},
    {"bytes=--2", 1000, Kind::whole, 0, 0},
    {"lines=1-2", 1000, Kind::whole, 0, 0},
    {"bytes 1-2", 1000, Kind::whole, 0, 0},
};

}  // namespace

TEST_CASE("rule 120: a range is exact, or refused, or ignored, and never reaches past the end",
          "[http][range]") {
  for (const auto& c : range_cases) {
    CAPTURE(c.value, c.size);
    const auto range = parse_range(c.value, c.size);
    CHECK(range.kind == c.kind);
    if (range.kind != Kind::part) continue;
    CHECK(range.offset == c.first);
    CHECK(range.size == c.last - c.first + 1);
    CHECK(range.offset + range.size <= c.size);
  }
}
