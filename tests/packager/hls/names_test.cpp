#include "packager/hls/names.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace lookback::packager::hls;

TEST_CASE("media names have the documented forms", "[packager][hls][names]") {
  CHECK(playlist_name("v0") == "v0.m3u8");
  CHECK(init_name("v0", "k3f9", 1) == "v0-k3f9-init1.mp4");
  CHECK(segment_name("a12", "0000", 123) == "a12-0000-123.m4s");
  CHECK(part_name("v0", "k3f9", 18446744073709551615u, 4) == "v0-k3f9-18446744073709551615.4.m4s");
}

TEST_CASE("a name is read back as what it was written from", "[packager][hls][names]") {
  const auto part = parse_name("v0-k3f9-18446744073709551615.4294967295.m4s");
  REQUIRE(part.has_value());
  CHECK(part->kind == Name::Kind::part);
  CHECK(part->track == "v0");
  CHECK(part->generation == "k3f9");
  CHECK(part->number == 18446744073709551615u);
  CHECK(part->part == 4294967295u);

  const auto segment = parse_name("a7-zz09-0.m4s");
  REQUIRE(segment.has_value());
  CHECK(segment->kind == Name::Kind::segment);
  CHECK(segment->number == 0);

  const auto init = parse_name("a12-k3f9-init3.mp4");
  REQUIRE(init.has_value());
  CHECK(init->kind == Name::Kind::init);
  CHECK(init->track == "a12");
  CHECK(init->number == 3);

  const auto list = parse_name("v0.m3u8");
  REQUIRE(list.has_value());
  CHECK(list->kind == Name::Kind::playlist);
  CHECK(list->track == "v0");
}

TEST_CASE("nothing but the exact names is a name", "[packager][hls][names]") {
  for (const auto* leaf : {"",
                           ".",
                           "..",
                           "v.m3u8",
                           "v000.m3u8",
                           "x0.m3u8",
                           "v0.m3u",
                           "v0.m3u8 ",
                           "V0.m3u8",
                           "v0-k3f9-.m4s",
                           "v0-k3f9-01.m4s",
                           "v0-k3f9-+1.m4s",
                           "v0-k3f9--1.m4s",
                           "v0-k3f9-1.01.m4s",
                           "v0-k3f9-1..m4s",
                           "v0-k3f9-1.2.3.m4s",
                           "v0-k3f9-18446744073709551616.m4s",
                           "v0-k3f9-1.4294967296.m4s",
                           "v0-K3f9-1.m4s",
                           "v0-k3f-1.m4s",
                           "v0-k3f9a-1.m4s",
                           "v0-k3f9-init.mp4",
                           "v0-k3f9-init01.mp4",
                           "v0-k3f9-init4294967296.mp4",
                           "v0-k3f9-1.mp4",
                           "v0-k3f9-init1.m4s",
                           "v0-k3f9",
                           "v0-k3f9-",
                           "-k3f9-1.m4s",
                           "v0-k3f9-1.m4s/",
                           "v0-k3f9-0x1.m4s",
                           "v0-k3f9-1 .m4s",
                           "v0-k3f9-1e3.m4s"}) {
    CAPTURE(leaf);
    CHECK_FALSE(parse_name(leaf).has_value());
  }
}
