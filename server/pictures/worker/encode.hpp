#pragma once
#include <optional>
#include <vector>

#include "server/pictures/job.hpp"
#include "server/pictures/worker/av.hpp"
#include "server/pictures/worker/raster.hpp"

namespace lookback::server::pictures::worker {

/// The picture as a JPEG or WebP file; the same bytes for the same pixels. Empty: it cannot be encoded.
std::optional<std::vector<std::byte>> encode_image(const Raster& raster, ImageFormat format,
                                                   std::uint8_t quality);

enum class Sides {
  any,
  even,  ///< as 4:2:0 video wants them; a last column or row that is too much is left out
};

/// The picture as encoders of video take it: 4:2:0, BT.601, video range. Null: no memory, or no such sides.
Frame to_yuv420(const Raster& raster, Sides sides);

}  // namespace lookback::server::pictures::worker
