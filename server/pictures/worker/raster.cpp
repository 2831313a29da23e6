#include "server/pictures/worker/raster.hpp"

#include <cassert>
#include <cstring>

namespace lookback::server::pictures::worker {

Raster turned(Raster raster, int quarters) {
  if (quarters % 4 == 0) return raster;
  const bool sideways = quarters % 2 != 0;
  const auto w = raster.width, h = raster.height;
  Raster out(sideways ? h : w, sideways ? w : h);
  for (std::uint32_t y = 0; y < h; ++y) {
    for (std::uint32_t x = 0; x < w; ++x) {
      const auto to_x = quarters == 1 ? h - 1 - y : quarters == 2 ? w - 1 - x : y;
      const auto to_y = quarters == 1 ? x : quarters == 2 ? h - 1 - y : w - 1 - x;
      std::memcpy(out.row(to_y) + std::size_t{3} * to_x, raster.row(y) + std::size_t{3} * x, 3);
    }
  }
  return out;
}

void lay(Raster& sheet, const Raster& tile, std::uint32_t x, std::uint32_t y, std::uint32_t cell_width,
         std::uint32_t cell_height) {
  assert(tile.width <= cell_width && tile.height <= cell_height);
  assert(x + cell_width <= sheet.width && y + cell_height <= sheet.height);
  const auto left = x + (cell_width - tile.width) / 2, top = y + (cell_height - tile.height) / 2;
  for (std::uint32_t line = 0; line < tile.height; ++line)
    std::memcpy(sheet.row(top + line) + std::size_t{3} * left, tile.row(line), std::size_t{3} * tile.width);
}

}  // namespace lookback::server::pictures::worker
