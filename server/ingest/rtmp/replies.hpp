#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "server/ingest/rtmp/amf0.hpp"
#include "server/ingest/rtmp/chunk_reader.hpp"
#include "store/base/bytes.hpp"

namespace lookback::server::rtmp {

/// Collects what a server says to its peer, as chunks ready to be sent. Everything goes with full headers and
/// timestamp 0: answers are few and small. Belongs to its connection's thread.
class Replies {
 public:
  void set_chunk_size(std::uint32_t bytes);  ///< RTMP 1.0 5.4.1; obeyed by later replies
  void acknowledge(std::uint32_t received_bytes);
  void window_ack_size(std::uint32_t bytes);
  void set_peer_bandwidth(std::uint32_t bytes);  ///< with the dynamic limit type
  void stream_begin(std::uint32_t stream_id);
  void ping_response(std::uint32_t time);

  /// `_result` to a call: its two values are the properties (or null) and the information.
  void result(double transaction, amf0::Value properties, amf0::Value information);
  /// `_error` to a call.
  void error(double transaction, std::string_view code, std::string_view description);
  /// `onStatus` on a message stream; `level` is "status" or "error".
  void status(std::uint32_t stream_id, std::string_view level, std::string_view code,
              std::string_view description);

  /// Raw handshake bytes go here as well.
  std::vector<std::byte>& bytes() { return bytes_; }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  void control(MessageType type, ByteSpan body);
  void user_control(std::uint16_t event, std::uint32_t value);
  void command(std::uint32_t stream_id, std::string_view name, double transaction, const amf0::Value& first,
               const amf0::Value& second);
  void message(std::uint32_t chunk_stream, MessageType type, std::uint32_t stream_id, ByteSpan body);

  std::uint32_t chunk_size_ = 128;
  std::vector<std::byte> bytes_;
};

/// The information object of results and statuses.
amf0::Value information(std::string_view level, std::string_view code, std::string_view description);

}  // namespace lookback::server::rtmp
