#pragma once
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "server/base/tls_identity.hpp"
#include "server/ingest/ingest.hpp"
#include "server/ingest/rtmp/options.hpp"
#include "store/base/result.hpp"

/// RTMP ingest: publishers in, nothing out. The path of a packet: a `Listener` accepts on every network
/// thread; a `Session` reads the socket; its `Dialogue` turns bytes into messages (`Handshake`,
/// `ChunkReader`), answers commands
/// (`Commands`, `Replies`) and cuts FLV tags into samples (`FlvReader`); the session pushes them into the
/// `Publication` that `Ingest` granted.
namespace lookback::server::rtmp {

/// Takes RTMP connections. Thread-safe. Destroy it before the contexts; `ingest` must outlive their run.
class Listener {
 public:
  /// Listens on `options.listen` with one socket for each context; each context must be run by one thread.
  /// RTMPS with an identity, which has been loaded; its limits are counted by themselves.
  /// Errors: invalid_argument (the address), and the system's, such as address_in_use.
  static Result<std::unique_ptr<Listener>> open(const std::vector<boost::asio::io_context*>& contexts,
                                                Options options, Ingest& ingest,
                                                std::shared_ptr<const TlsIdentity> tls = nullptr);
  ~Listener();

  /// The real port, also when 0 was asked for.
  std::uint16_t port() const { return port_; }
  /// Connections now open.
  std::size_t connections() const;

  /// Stops accepting and ends all sessions, each on its own thread; returns at once. The contexts run dry
  /// when the last session has said goodbye: after 2 s at most. Idempotent.
  void stop();

 private:
  struct Lane;
  explicit Listener(std::uint16_t port) : port_(port) {}

  const std::uint16_t port_;
  std::vector<std::shared_ptr<Lane>> lanes_;
};

}  // namespace lookback::server::rtmp
