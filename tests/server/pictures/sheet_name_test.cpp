#include "server/pictures/sheet_name.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

using namespace lookback::server::pictures;

TEST_CASE("names of sheets are read as they are written", "[pictures][sheet]") {
  const SheetName full{"k3f9", 160, 10'000, 17'645'123, {}};
  CHECK(to_text(full) == "sheet-k3f9-160-10-17645123.jpg");
  CHECK(parse_sheet_name(to_text(full)) == full);
  const SheetName open{"k3f9", 320, 12'500, 0, SheetName::Open{37, 0x09af31c2}};
  CHECK(to_text(open) == "sheet-k3f9-320-12500ms-0.37-09af31c2.jpg");
  CHECK(parse_sheet_name(to_text(open)) == open);
  const auto tile = parse_tile_name("tile-k3f9-160-123.jpg");
  REQUIRE(tile);
  CHECK(tile->generation == "k3f9");
  CHECK(tile->width == 160);
  CHECK(tile->msn == 123);
  const auto images = parse_images_name(images_name(160, 10'000));
  REQUIRE(images);
  CHECK(images_name(160, 10'000) == "images-160-10.m3u8");
  CHECK(images->interval_ms == 10'000);
}

TEST_CASE("no other names are taken for sheets", "[pictures][sheet]") {
  const std::string leaf =
      GENERATE("", "sheet-", "sheet-k3f9-160-10-1", "sheet-k3f9-160-10-1.png", "sheet-K3f9-160-10-1.jpg",
               "sheet-k3f-160-10-1.jpg", "sheet-k3f9-0160-10-1.jpg", "sheet-k3f9-160-010-1.jpg",
               "sheet-k3f9-160-0-1.jpg", "sheet-k3f9-160-10-01.jpg", "sheet-k3f9-160-10--1.jpg",
               "sheet-k3f9-160-10-18446744073709551616.jpg", "sheet-k3f9-160-10000ms-1.jpg",
               "sheet-k3f9-160-10-1.0-09af31c2.jpg", "sheet-k3f9-160-10-1.101-09af31c2.jpg",
               "sheet-k3f9-160-10-1.37-9af31c2.jpg", "sheet-k3f9-160-10-1.37-09AF31C2.jpg",
               "sheet-k3f9-160-10-1.37-09af31c2", "sheet-k3f9-160-10-1.jpgx", "xsheet-k3f9-160-10-1.jpg");
  CAPTURE(leaf);
  CHECK_FALSE(parse_sheet_name(leaf));
  CHECK_FALSE(parse_tile_name(leaf));
  CHECK_FALSE(parse_images_name(leaf));
}
