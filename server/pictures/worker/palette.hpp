#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "server/pictures/worker/raster.hpp"

namespace lookback::server::pictures::worker {

/// The 255 colours that show a film best, and the pictures in them. Our own rather than FFmpeg's palettegen
/// and paletteuse, which are the same idea: these would bring libavfilter and forty libraries behind it into
/// every process. One thread.
///
/// Median cut: the box of colours whose pixels differ most is cut where its halves have the same weight,
/// until there are enough. Pictures are painted with an ordered pattern (Bayer's), which stands still where
/// the picture does, so that GIF's comparison with the picture before finds something.
class Palette {
 public:
  static constexpr std::size_t size = 256;  ///< the last one is transparent
  using Colours = std::array<std::uint32_t, size>;

  Palette() : weights_(cells), sums_(cells) {}

  /// Adds the picture's colours.
  void look_at(const Raster& picture);
  /// Decides, once, after the last picture.
  void choose();
  /// 0xAARRGGBB.
  const Colours& colours() const { return colours_; }
  /// The indexes of row `y`.
  void paint(const Raster& picture, std::uint32_t y, std::uint8_t* out) const;

 private:
  static constexpr unsigned bits = 5;  ///< of each component that count
  static constexpr std::size_t cells = std::size_t{1} << (3 * bits);
  struct Box {
    std::vector<std::uint16_t> cells;
    std::uint64_t weight = 0;
    std::array<double, 3> mean{};
    double error = 0;     ///< sum of squares of the distances from the mean
    unsigned widest = 0;  ///< the component that has most of it
  };

  void measure(Box& box) const;
  Box split(Box& box) const;

  /// The colour that stands for a cell: the mean of its pixels, or its middle. 0 to 255.
  std::array<double, 3> colour_of(std::size_t cell) const;

  std::vector<std::uint32_t> weights_;              ///< pixels of each cell
  std::vector<std::array<std::uint64_t, 3>> sums_;  ///< of their components
  std::vector<std::uint8_t> nearest_;               ///< colour of each cell
  Colours colours_{};
};

}  // namespace lookback::server::pictures::worker
