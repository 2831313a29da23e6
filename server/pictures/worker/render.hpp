#pragma once
#include "server/pictures/job.hpp"
#include "server/pictures/worker/av.hpp"
#include "server/pictures/worker/raster.hpp"

namespace lookback::server::pictures::worker {

/// How large a picture is seen that is shown as `width` by `height`, for an output. `crop_*`: what `cover`
/// cuts off, both sides together, in the same pixels.
struct Shape {
  std::uint32_t width = 0, height = 0;
  std::uint32_t crop_width = 0, crop_height = 0;
  bool operator==(const Shape&) const = default;
};
/// Pure. `width` and `height` are not 0, nor is any side that it gives.
Shape shape_for(std::uint32_t width, std::uint32_t height, const Output& output);

/// A decoded picture as it is to be seen: of one field where there are two, with square pixels, scaled,
/// upright, in SDR. `frame`'s cropping changes. Empty (no pixels): it cannot be converted.
Raster render(AVFrame& frame, const Output& output);

}  // namespace lookback::server::pictures::worker
