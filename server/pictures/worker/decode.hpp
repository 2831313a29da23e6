#pragma once
#include <cstdint>
#include <functional>

#include "server/pictures/job.hpp"
#include "server/pictures/worker/av.hpp"

namespace lookback::server::pictures::worker {

/// Takes a decoded picture; it is lent for the call.
using OnPicture = std::function<void(AVFrame&)>;

struct DecodeOptions {
  std::uint64_t max_pixels = 0;   ///< no larger picture is ever allocated
  std::uint32_t shown_width = 0;  ///< of the largest picture that is made of it; 0: not known, or its own
};

/// Decodes a source and gives out its wanted pictures in their order: for each instant the last picture that
/// begins by then, or the first one there is. Damage inside costs pictures and not the source. Where nothing
/// refers to a picture, and its seams are not seen in the size that it is shown in, it is not smoothed.
/// One thread. Verdicts: done (perhaps without a picture), too_large, unsupported, out_of_memory.
Verdict decode(const Source& source, const DecodeOptions& options, const OnPicture& on_picture);

}  // namespace lookback::server::pictures::worker
