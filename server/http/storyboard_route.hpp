#pragma once
#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "server/http/exchange.hpp"

namespace lookback::server::http {

/// `storyboard.vtt`, `storyboard.json`, `images-160-10.m3u8`.
bool is_storyboard(std::string_view leaf);
/// Names of sprite sheets and tiles.
bool is_sheet(std::string_view leaf);

struct StoryboardView {
  std::string stream;            ///< whose media: "live/news"
  PresentationPtr presentation;  ///< not null
  bool absolute = false;         ///< pictures are named by their path, as they lie elsewhere
};

/// Answers a leaf that `is_storyboard` knows, through the request's view parameters. 404: no pictures; 422:
/// no such width; 503: the store cannot be read now.
boost::asio::awaitable<void> answer_storyboard(Exchange& exchange, StoryboardView view);

/// EXT-X-IMAGE-STREAM-INF of the multivariant playlist, one for each width; empty while `thumbs` is off, or
/// nothing has pictures.
std::string image_streams(const Exchange& exchange, const packager::hls::Presentation& presentation,
                          std::string_view stream);

}  // namespace lookback::server::http
