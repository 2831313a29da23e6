#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "server/pictures/job.hpp"
#include "server/pictures/worker/av.hpp"

namespace lookback::server::pictures::worker {

/// Encoded pictures, laid into a file in memory by FFmpeg's muxer of the format. One thread.
class FilmFile {
 public:
  explicit FilmFile(ImageFormat format) : format_(format) {}

  /// Encodes a picture; times are in us. False: it cannot be.
  bool encode(AVCodecContext& encoder, AVFrame* picture);
  /// The file of all that was encoded with `encoder`; each picture lasts until the next, the last one until
  /// `end_us`. Empty: it cannot be made.
  std::optional<std::vector<std::byte>> finish(AVCodecContext& encoder, std::int64_t end_us);

 private:
  const ImageFormat format_;
  std::vector<Packet> packets_;  ///< in the order of their times: no format has pictures that wait for others
};

}  // namespace lookback::server::pictures::worker
