#include "server/pictures/worker/palette.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace lookback::server::pictures::worker {
namespace {

constexpr unsigned component_shift = 3;  // 8 bits to 5

constexpr std::uint16_t cell_of(unsigned red, unsigned green, unsigned blue) {
  return static_cast<std::uint16_t>(red >> component_shift << 10 | green >> component_shift << 5 |
                                    blue >> component_shift);
}

/// A cell's component, 0 to 31.
constexpr unsigned component(std::size_t cell, unsigned index) {
  return static_cast<unsigned>(cell >> (10 - 5 * index) & 31);
}

/// Bayer's 8x8 matrix, -1/2 to 1/2 of a cell: what the cells round off is made up for.
constexpr auto pattern = [] {
  std::array<std::array<int, 8>, 8> out{};
  for (unsigned y = 0; y < 8; ++y) {
    for (unsigned x = 0; x < 8; ++x) {
      unsigned value = 0;
      for (unsigned bit = 0; bit < 3; ++bit)
        value |= ((x ^ y) >> bit & 1) << (5 - 2 * bit) | (y >> bit & 1) << (4 - 2 * bit);
      out[y][x] = static_cast<int>(value) / 8 - 4;
    }
  }
  return out;
}();

unsigned moved(unsigned value, int by) {
  return static_cast<unsigned>(std::clamp(static_cast<int>(value) + by, 0, 255));
}

}  // namespace

void Palette::look_at(const Raster& picture) {
  for (std::size_t i = 0; i + 2 < picture.rgb.size(); i += 3) {
    const auto cell = cell_of(picture.rgb[i], picture.rgb[i + 1], picture.rgb[i + 2]);
    ++weights_[cell];
    for (unsigned c = 0; c < 3; ++c) sums_[cell][c] += picture.rgb[i + c];
  }
}

std::array<double, 3> Palette::colour_of(std::size_t cell) const {
  std::array<double, 3> out{};
  for (unsigned c = 0; c < 3; ++c) {
    out[c] = weights_[cell] == 0 ? component(cell, c) * 8 + 4.0
                                 : static_cast<double>(sums_[cell][c]) / weights_[cell];
  }
  return out;
}

void Palette::measure(Box& box) const {
  std::array<double, 3> sum{}, squares{};
  box.weight = 0;
  for (const auto cell : box.cells) {
    box.weight += weights_[cell];
    const auto colour = colour_of(cell);
    for (unsigned c = 0; c < 3; ++c) {
      const double value = colour[c], weight = weights_[cell];
      sum[c] += value * weight;
      squares[c] += value * value * weight;
    }
  }
  const auto weight = static_cast<double>(box.weight);
  box.error = 0;
  double most = -1;
  for (unsigned c = 0; c < 3; ++c) {
    box.mean[c] = sum[c] / weight;
    const double error = squares[c] - sum[c] * box.mean[c];
    box.error += error;
    if (error > most) {
      most = error;
      box.widest = c;
    }
  }
}

/// Takes the upper half of a box that has at least two cells.
Palette::Box Palette::split(Box& box) const {
  const auto axis = box.widest;
  std::sort(box.cells.begin(), box.cells.end(),
            [axis](auto a, auto b) { return component(a, axis) < component(b, axis); });
  std::uint64_t below = 0;
  std::size_t at = 0;
  while (at + 1 < box.cells.size() && (at == 0 || below * 2 < box.weight)) below += weights_[box.cells[at++]];
  const auto middle = box.cells.begin() + static_cast<std::ptrdiff_t>(at);
  Box upper;
  upper.cells.assign(middle, box.cells.end());
  box.cells.erase(middle, box.cells.end());
  measure(box);
  measure(upper);
  return upper;
}

void Palette::choose() {
  std::vector<Box> boxes(1);
  for (std::size_t cell = 0; cell < cells; ++cell)
    if (weights_[cell] != 0) boxes[0].cells.push_back(static_cast<std::uint16_t>(cell));
  if (boxes[0].cells.empty()) boxes[0].cells.push_back(0);
  measure(boxes[0]);
  const auto error_of = [](const Box& box) { return box.cells.size() > 1 ? box.error : -1.0; };
  while (boxes.size() < size - 1) {
    const auto worst = std::max_element(
        boxes.begin(), boxes.end(), [&](const auto& a, const auto& b) { return error_of(a) < error_of(b); });
    if (worst->cells.size() < 2) break;
    auto upper = split(*worst);
    boxes.push_back(std::move(upper));
  }
  nearest_.assign(cells, 0);
  std::vector<std::array<int, 3>> means;
  for (const auto& box : boxes) {
    std::array<int, 3> mean{};
    for (unsigned c = 0; c < 3; ++c)
      mean[c] = box.weight == 0 ? 0 : static_cast<int>(std::lround(box.mean[c]));
    colours_[means.size()] = 0xFF000000u | static_cast<std::uint32_t>(mean[0] << 16 | mean[1] << 8 | mean[2]);
    means.push_back(mean);
  }
  for (std::size_t i = means.size(); i + 1 < size; ++i) colours_[i] = colours_[0];
  colours_[size - 1] = 0;  // transparent
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const auto colour = colour_of(cell);
    double best = std::numeric_limits<double>::max();
    for (std::size_t i = 0; i < means.size(); ++i) {
      double distance = 0;
      for (unsigned c = 0; c < 3; ++c) distance += (colour[c] - means[i][c]) * (colour[c] - means[i][c]);
      if (distance >= best) continue;
      best = distance;
      nearest_[cell] = static_cast<std::uint8_t>(i);
    }
  }
}

void Palette::paint(const Raster& picture, std::uint32_t y, std::uint8_t* out) const {
  const auto* in = picture.row(y);
  const auto& row = pattern[y % 8];
  for (std::uint32_t x = 0; x < picture.width; ++x, in += 3) {
    const int by = row[x % 8];
    out[x] = nearest_[cell_of(moved(in[0], by), moved(in[1], by), moved(in[2], by))];
  }
}

}  // namespace lookback::server::pictures::worker
