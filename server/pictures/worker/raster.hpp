#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lookback::server::pictures::worker {

/// A picture as it is seen: upright, square pixels, sRGB-like, 3 bytes for each pixel, rows without gaps.
struct Raster {
  std::uint32_t width = 0, height = 0;
  std::vector<std::uint8_t> rgb;

  Raster() = default;
  Raster(std::uint32_t w, std::uint32_t h) : width(w), height(h), rgb(std::size_t{3} * w * h) {}
  std::uint8_t* row(std::uint32_t y) { return rgb.data() + std::size_t{3} * width * y; }
  const std::uint8_t* row(std::uint32_t y) const { return rgb.data() + std::size_t{3} * width * y; }
};

/// Turned clockwise by `quarters` (0 to 3) right angles.
Raster turned(Raster raster, int quarters);

/// Lays `tile` into the cell at (x, y) of `cell_width` by `cell_height`, in its middle. The cell lies inside
/// of `sheet`, the tile is no larger than the cell.
void lay(Raster& sheet, const Raster& tile, std::uint32_t x, std::uint32_t y, std::uint32_t cell_width,
         std::uint32_t cell_height);

}  // namespace lookback::server::pictures::worker
