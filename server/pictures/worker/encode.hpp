#pragma once
#include <optional>
#include <vector>

#include "server/pictures/job.hpp"
#include "server/pictures/worker/raster.hpp"

namespace lookback::server::pictures::worker {

/// The picture as a JPEG or WebP file; the same bytes for the same pixels. Empty: it cannot be encoded.
std::optional<std::vector<std::byte>> encode_image(const Raster& raster, ImageFormat format,
                                                   std::uint8_t quality);

}  // namespace lookback::server::pictures::worker
