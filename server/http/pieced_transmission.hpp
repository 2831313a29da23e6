#pragma once
#include <cstdint>
#include <vector>

#include "server/http/pieced_body.hpp"

namespace lookback::server::http {

/// How far sending has come.
enum class SendStep {
  done,
  blocked,  ///< the socket is full
  pause,    ///< a fast reader has had its turn: let others run
  cold,     ///< the next bytes of a file are not in the page cache: `prefetch` them elsewhere
  failed,   ///< the peer is gone
  damaged,  ///< a file ends early or cannot be read: what was promised cannot be sent
};

/// A PiecedBody on its way into a socket: the head by send, the pieces by sendfile. Pieces are opened and
/// brought into the page cache 2 to 64 MiB ahead of the socket; no more than those are held. Belongs to its
/// connection, but for `prefetch`, which runs while the connection waits.
class PiecedTransmission {
 public:
  void start(PiecedBody body);
  /// Sends what goes without waiting, neither for the socket nor for a disk.
  SendStep advance(int socket);
  /// Opens the next pieces and reads them into the page cache. Blocking: on a pool.
  void prefetch();
  void clear() { start({}); }
  std::uint64_t sent() const { return sent_; }

 private:
  struct Opened {
    FileBody file;
    std::uint64_t end = 0;  ///< in the whole
  };

  SendStep send_head(int socket);
  SendStep send_file(int socket, Opened& piece);
  void took(std::uint64_t bytes);
  bool open_next();

  PiecedBody body_;
  std::uint64_t position_ = 0, end_ = 0;  ///< in the whole
  std::vector<Opened> opened_;            ///< the first covers position_
  std::size_t next_ = 0;                  ///< the next piece to open
  std::uint64_t opened_until_ = 0;        ///< in the whole
  std::uint64_t ahead_ = 0;               ///< how much `prefetch` opens
  std::uint64_t sent_ = 0, turn_ = 0;
  bool damaged_ = false;
};

}  // namespace lookback::server::http
