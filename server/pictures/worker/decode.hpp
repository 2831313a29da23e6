#pragma once
#include <functional>

#include "server/pictures/job.hpp"
#include "server/pictures/worker/av.hpp"

namespace lookback::server::pictures::worker {

/// Takes a decoded picture; it is lent for the call.
using OnPicture = std::function<void(AVFrame&)>;

/// Decodes a source and gives out its wanted pictures in their order: for each instant the last picture that
/// begins by then, or the first one there is. Damage inside costs pictures and not the source. One thread; no
/// picture of more than `max_pixels` is ever allocated. Verdicts: done (perhaps without a picture),
/// too_large, unsupported, out_of_memory.
Verdict decode(const Source& source, std::uint64_t max_pixels, const OnPicture& on_picture);

}  // namespace lookback::server::pictures::worker
