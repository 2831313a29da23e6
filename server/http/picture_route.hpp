#pragma once
#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "server/http/exchange.hpp"

namespace lookback::server::http {

/// Whether a leaf of a stream or recording is a picture, or tells of pictures: `thumbnail.jpg`.
bool is_picture(std::string_view leaf);

/// What pictures are made of. Immutable.
struct PictureSource {
  std::string stream;            ///< whose segments: "live/news"
  PresentationPtr presentation;  ///< not null
};

/// Answers a leaf that `is_picture` knows. 400 and 422: parameters that make no sense; 404: nothing there;
/// 503: it cannot be made now.
boost::asio::awaitable<void> answer_picture(Exchange& exchange, PictureSource source);

/// Why no picture or clip could be made.
void answer_picture_failure(Exchange& exchange, const boost::system::error_code& error);

}  // namespace lookback::server::http
