#include "server/pictures/worker/palette.hpp"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

using namespace lookback::server::pictures::worker;

namespace {

Raster filled(std::uint32_t width, std::uint32_t height, auto colour_at) {
  Raster raster(width, height);
  for (std::uint32_t y = 0; y < height; ++y) {
    for (std::uint32_t x = 0; x < width; ++x) {
      const std::array<std::uint8_t, 3> colour = colour_at(x, y);
      std::copy(colour.begin(), colour.end(), raster.row(y) + 3 * x);
    }
  }
  return raster;
}

}  // namespace

TEST_CASE("a palette of one colour is that colour, and one that is transparent", "[pictures][palette]") {
  const auto picture = filled(8, 8, [](auto, auto) { return std::array<std::uint8_t, 3>{123, 66, 198}; });
  Palette palette;
  palette.look_at(picture);
  palette.choose();
  CHECK(palette.colours()[0] == 0xFF7B42C6);
  CHECK(palette.colours()[Palette::size - 1] == 0);
  std::array<std::uint8_t, 8> row{};
  palette.paint(picture, 0, row.data());
  CHECK(std::all_of(row.begin(), row.end(), [](auto index) { return index != Palette::size - 1; }));
}

TEST_CASE("colours that are far apart have their own places, however rare they are", "[pictures][palette]") {
  const std::array<std::array<std::uint8_t, 3>, 4> colours{
      {{0, 0, 0}, {255, 0, 0}, {0, 255, 0}, {0, 0, 255}}};
  const auto picture =
      filled(100, 100, [&](auto x, auto y) { return y == 0 && x < 4 ? colours[x] : colours[0]; });
  Palette palette;
  palette.look_at(picture);
  palette.choose();
  for (const std::uint32_t wanted : {0xFF000000u, 0xFFFF0000u, 0xFF00FF00u, 0xFF0000FFu})
    CHECK(std::count(palette.colours().begin(), palette.colours().end(), wanted) >= 1);
}

TEST_CASE("the pattern keeps the mean of what lies between two colours", "[pictures][palette]") {
  // A ramp of all greys in 255 colours: 8x8 pixels of one grey are painted so that their mean is near it.
  const auto ramp = filled(256, 8, [](auto x, auto) {
    const auto grey = static_cast<std::uint8_t>(x);
    return std::array<std::uint8_t, 3>{grey, grey, grey};
  });
  Palette palette;
  palette.look_at(ramp);
  palette.choose();
  for (const int grey : {30, 100, 101, 127, 200, 220}) {
    CAPTURE(grey);
    const auto patch = filled(8, 8, [&](auto, auto) {
      const auto value = static_cast<std::uint8_t>(grey);
      return std::array<std::uint8_t, 3>{value, value, value};
    });
    int sum = 0;
    for (std::uint32_t y = 0; y < 8; ++y) {
      std::array<std::uint8_t, 8> row{};
      palette.paint(patch, y, row.data());
      for (const auto index : row) sum += static_cast<int>(palette.colours()[index] & 0xFF);
    }
    CHECK(std::abs(sum / 64.0 - grey) < 3);
  }
}
