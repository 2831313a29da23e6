#pragma once
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "server/archive/mp4_movie.hpp"
#include "server/http/exchange.hpp"

namespace lookback::server::http {

/// What an MP4 is made of, and how it is called.
struct Mp4Source {
  std::string stream;  ///< whose segments: "live/news"
  std::string key;     ///< names the content in the cache: differs for a stream that was wiped and made anew
  std::string path;    ///< of the MP4: "/live/news/video.mp4"
  std::string file_stem;      ///< of [A-Za-z0-9._-]: "news" gives news-2026-11-24T100000Z-1h.mp4
  std::int64_t first_us = 0;  ///< wall clock, Unix us: where the media starts ...
  std::int64_t end_us = 0;    ///< ... and where its newest complete segment ends
  std::uint64_t first_msn = 0, end_msn = UINT64_MAX;  ///< only these segments
};

/// Answers `?start=&end=` or `&duration=` with a progressive MP4; everything else that archive::mp4_range
/// takes is redirected to the URL that says it in absolute times. 400: times that make no sense, or more than
/// http.mp4_max_duration; 404: nothing there; 409 with the ranges that can be had: the parameters change
/// inside.
boost::asio::awaitable<void> answer_mp4(Exchange& exchange, Mp4Source source);

}  // namespace lookback::server::http
