#pragma once
#include <chrono>
#include <cstddef>
#include <string>

namespace lookback::server::http {

struct Options {
  std::string listen = ":8080";          ///< "HOST:PORT", ":PORT" (all addresses), port 0 picks a free one
  std::size_t max_connections = 20'000;  ///< per process; further ones are closed at once
  std::size_t max_header_bytes = 16u << 10;          ///< request line and fields: 431 above
  std::size_t max_target_bytes = 8u << 10;           ///< 414 above
  std::size_t max_query_bytes = 1u << 10;            ///< foreign query carried to child URLs: 400 above
  std::size_t max_body_bytes = 64u << 10;            ///< of a request to the control API: 413 above
  std::size_t recording_cache_bytes = 64u << 20;     ///< playlists of recordings that have left their window
  std::chrono::milliseconds header_timeout{10'000};  ///< from the first byte of a request to its last
  std::chrono::milliseconds idle_timeout{75'000};    ///< keep-alive without a request
  std::chrono::milliseconds write_timeout{30'000};   ///< without progress while a response is sent
  std::chrono::milliseconds first_segment_timeout{
      10'000};  ///< how long a request waits for a new stream's first segment
  std::chrono::milliseconds drain_timeout{10'000};  ///< for running responses after SIGTERM
  std::size_t mp4_cache_bytes = 128u << 20;  ///< sample tables of MP4s that are kept for the next request
  std::chrono::milliseconds mp4_max_duration{24 * 3'600'000};  ///< longest range of one MP4: 400 above
  std::size_t max_waiting = 10'000;  ///< blocked requests per network thread: 503 above
};

}  // namespace lookback::server::http
