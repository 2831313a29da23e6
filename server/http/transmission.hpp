#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

#include "server/http/pieced_transmission.hpp"
#include "server/http/response.hpp"

namespace lookback::server::http {

/// One response on its way into a clear-text socket: head and shared bytes in one gather write, a file's
/// bytes by sendfile behind them (the head is held back with MSG_MORE, so that they share packets). Never
/// blocks, on neither socket nor disk: the caller waits and calls again. Belongs to its connection.
class Transmission {
 public:
  using Step = SendStep;

  /// Makes ready to send `body` behind `head`, which must stay unchanged until the end.
  void start(const std::string& head, Body body);
  /// Sends what goes without waiting. `socket` is a non-blocking descriptor.
  Step advance(int socket);
  /// Reads the bytes that `cold` was about into the page cache. Blocking: on a pool.
  void prefetch();
  /// Tells that `prefetch` has run, so that the same bytes are not asked about again.
  void prefetched() {
    if (std::holds_alternative<FileBody>(body_)) warm_until_ = file_done_ + window();
  }

  std::uint64_t sent() const { return sent_ + pieces_.sent(); }
  /// Lets go of the body's bytes.
  void clear() {
    body_ = std::monostate{};
    pieces_.clear();
  }

 private:
  Step send_memory(int socket);
  Step send_file(int socket, const FileBody& file);
  std::size_t window() const;
  std::size_t piece(int socket);

  std::string_view head_;
  Body body_;
  PiecedTransmission pieces_;                      ///< of a PiecedBody
  std::size_t memory_done_ = 0, memory_size_ = 0;  ///< bytes of head and in-memory body
  std::uint64_t file_done_ = 0, warm_until_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t turn_ = 0;          ///< bytes sent since the caller last waited
  std::uint64_t packet_bytes_ = 0;  ///< the connection's MSS; 0: not asked for yet
};

}  // namespace lookback::server::http
