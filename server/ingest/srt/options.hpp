#pragma once
#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace lookback::server::srt {

struct Options {
  /// "HOST:PORT", ":PORT" (all addresses), port 0 picks a free one; "HOST:PORT/APP/NAME": an empty stream id
  /// on this port means that stream. Empty: no SRT.
  std::vector<std::string> listen = {":8890"};
  std::chrono::milliseconds latency{120};                 ///< at least; the publisher may ask for more
  std::chrono::milliseconds first_media_timeout{10'000};  ///< from a connection to a track that is carried
  std::chrono::milliseconds idle_timeout{30'000};         ///< without a byte from a publisher
  std::chrono::milliseconds peer_timeout{5'000};          ///< without a sign of life: the peer has vanished
  std::size_t max_connections = 2'000;
  std::size_t max_connections_per_address = 500;
  std::size_t receive_buffer_bytes = 12u << 20;     ///< of one connection: what is late or not yet taken
  std::size_t max_queue_bytes = 8u << 20;           ///< received, not yet read by the connection's thread
  std::size_t max_frame_bytes = 16u << 20;          ///< of one access unit
  std::chrono::milliseconds pull_timeout{3'000};    ///< for the handshake of a call to a remote listener
  std::chrono::milliseconds pull_retry_min{1'000};  ///< from a failed call to the next; doubles each time ...
  std::chrono::milliseconds pull_retry_max{30'000};  ///< ... up to this
  std::size_t max_tracks = 16;                       ///< of one program that are carried
};

}  // namespace lookback::server::srt
