#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "server/pictures/job.hpp"
#include "server/pictures/worker/raster.hpp"

namespace lookback::server::pictures::worker {

/// Makes a file of pictures that are shown one after the other. One thread.
class FilmEncoder {
 public:
  virtual ~FilmEncoder() = default;
  /// The next picture, as large as the first; `begin_us` is 0 or later than that of the one before. False: it
  /// cannot be encoded.
  virtual bool add(const Raster& picture, std::int64_t begin_us) = 0;
  /// The file; `end_us`: when the last picture ends. Empty: it cannot be made, or there are no pictures.
  virtual std::optional<std::vector<std::byte>> finish(std::int64_t end_us) = 0;
};

/// For one of the formats of clips. The same pictures give the same bytes.
std::unique_ptr<FilmEncoder> make_film_encoder(ImageFormat format, std::uint8_t quality);

}  // namespace lookback::server::pictures::worker
