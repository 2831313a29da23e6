#pragma once
#include <chrono>
#include <cstddef>
#include <string>

namespace lookback::server::rtmp {

struct Options {
  std::string listen = ":1935";  ///< "HOST:PORT", ":PORT" (all addresses), port 0 picks a free one
  std::chrono::milliseconds handshake_timeout{10'000};  ///< from accept to an accepted publish
  std::chrono::milliseconds idle_timeout{30'000};       ///< without a byte from a publisher
  std::chrono::milliseconds write_timeout{10'000};      ///< for a peer that does not read our answers
  std::size_t max_connections = 2'000;
  std::size_t max_connections_per_address = 500;
  std::size_t max_chunk_size_bytes = 16u << 20;
  std::size_t max_message_bytes = 16u << 20;  ///< video and audio
  std::size_t max_command_bytes = 64u << 10;  ///< commands and metadata
  std::size_t max_partial_bytes = 24u << 20;  ///< unfinished messages of one connection, together
  std::size_t max_chunk_streams = 32;
  std::size_t max_amf_depth = 16;
  std::size_t max_amf_properties = 1'000;
  std::size_t read_buffer_bytes = 64u << 10;
  std::size_t max_tracks = 16;  ///< of each kind, of one connection
};

/// Of the RTMPS listener; all else is as for RTMP.
struct TlsOptions {
  std::string listen = ":1936";
  std::string certificate;  ///< path of a PEM file, the chain may follow in it; empty: no RTMPS
  std::string key;          ///< path of a PEM file
};

}  // namespace lookback::server::rtmp
