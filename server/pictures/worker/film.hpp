#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "server/pictures/job.hpp"
#include "server/pictures/worker/av.hpp"
#include "server/pictures/worker/film_encoder.hpp"
#include "server/pictures/worker/raster.hpp"

namespace lookback::server::pictures::worker {

/// What becomes of the pictures of a job with a clip, in the order in which they come. One thread.
class Film {
 public:
  /// `job` has a clip, and outlives this.
  explicit Film(const Job& job);

  /// The next picture; it is lent for the call. One that is the same as the last makes that one longer.
  void take(AVFrame& frame);
  /// The pictures before this one cannot be had: the last one is shown instead.
  void skip_to(std::size_t picture);
  Reply finish();

 private:
  /// What is made for an output.
  struct Track {
    std::unique_ptr<FilmEncoder> encoder;
    std::uint32_t width = 0, height = 0;  ///< of the first picture; 0: none yet
  };

  std::int64_t begin_us() const;
  Raster picture_for(AVFrame& frame, std::size_t output);
  void encode(const Raster& picture, std::size_t output);

  const Job& job_;
  std::vector<Track> tracks_;
  std::size_t next_ = 0;
  std::optional<std::int64_t> last_pts_;  ///< of the picture that is shown; empty: of another source, or none
  bool begun_ = false;
};

}  // namespace lookback::server::pictures::worker
