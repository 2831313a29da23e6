#pragma once
#include <boost/asio/awaitable.hpp>
#include <string_view>

#include "server/http/picture_route.hpp"

namespace lookback::server::http {

/// Whether a leaf of a stream or recording is a clip, or tells of clips: `animated.webp|gif|mp4`,
/// `motionclip.webp|gif|mp4`, `motionclips.json`.
bool is_clip(std::string_view leaf);

/// Answers a leaf that `is_clip` knows. 400 and 422: parameters that make no sense; 404: nothing there; 503:
/// it cannot be made now.
boost::asio::awaitable<void> answer_clip(Exchange& exchange, PictureSource source);

}  // namespace lookback::server::http
