#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "server/archive/view_request.hpp"
#include "server/live/hub.hpp"
#include "server/pictures/key_picture.hpp"
#include "server/pictures/options.hpp"

namespace lookback::server::pictures {

/// A moment of a stream as it is to be shown. The presentation is what its segments are looked up in.
struct ClipMoment {
  std::string stream;            ///< "live/news"
  PresentationPtr presentation;  ///< not null; has video
  archive::TimeRange range;      ///< Unix us
  std::uint32_t width = 0;       ///< pixels, and no side is longer than `max_side`
  std::uint32_t max_side = 0;
  std::uint32_t fps = 0;  ///< at most; 0: as suits the source

  /// Names what is shown, for tags and caches: "k3f9-1764500000000-5000-320x0". `format`: with its ending.
  std::string name() const;
};

/// ".webp", ".gif" or ".mp4" of the formats of clips.
std::string_view ending_of(ImageFormat format);

/// The job that makes the moment in all `formats`, from one decode: smooth up to `longest_smooth_us`, as far
/// as the source is not too much for that, else from key picture to key picture. Of the renditions the
/// smallest that is wide enough is taken, for each session anew. Where nothing is stored the picture before
/// is shown on. Blocking. Errors: not_found, damaged, io_error; Errc::too_large.
Result<Job> read_clip(const MediaAccess& media, const ClipMoment& moment,
                      std::span<const ImageFormat> formats, const Options& options);

}  // namespace lookback::server::pictures
