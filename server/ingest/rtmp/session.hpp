#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "server/base/log_gate.hpp"
#include "server/base/tls_identity.hpp"
#include "server/ingest/admissions.hpp"
#include "server/ingest/ingest.hpp"
#include "server/ingest/rtmp/options.hpp"

namespace lookback::server::rtmp {

/// What all sessions of a listener share. Thread-safe; holds no Asio object.
struct Common {
  Common(Options all, Ingest& streams, std::shared_ptr<const TlsIdentity> identity)
      : options(std::move(all)),
        ingest(streams),
        tls(std::move(identity)),
        admissions(
            std::make_shared<Admissions>(options.max_connections, options.max_connections_per_address)) {}

  const Options options;
  Ingest& ingest;
  const std::shared_ptr<const TlsIdentity> tls;  ///< null: RTMP as it is
  const std::shared_ptr<Admissions> admissions;
  LogGate log_gate{20, std::chrono::seconds(1)};

  std::string_view protocol() const { return tls ? "rtmps" : "rtmp"; }
};

/// One connection, whatever it runs over. Belongs to its io_context's only thread.
class Session {
 public:
  virtual ~Session() = default;
  /// The whole life of the connection; ends by itself.
  virtual boost::asio::awaitable<void> run() = 0;
  /// Ends it from outside, for instance at shut-down. On its own thread. Idempotent.
  virtual void end(boost::system::error_code error, std::string why) = 0;
  /// After `run` has thrown, which only a lack of memory makes it do.
  virtual void abandon(const std::string& why) = 0;
};

/// With a peer that has connected: over TLS when `common` has an identity.
std::shared_ptr<Session> make_session(boost::asio::ip::tcp::socket socket,
                                      boost::asio::ip::tcp::endpoint peer, std::shared_ptr<Common> common,
                                      Admissions::Ticket ticket);

}  // namespace lookback::server::rtmp
