#pragma once
#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "server/base/log_gate.hpp"
#include "server/ingest/admissions.hpp"
#include "server/ingest/ingest.hpp"
#include "server/ingest/srt/claims.hpp"
#include "server/ingest/srt/options.hpp"

namespace lookback::server::srt {

/// What all connections of a listener share. Thread-safe; holds no Asio object.
struct Common {
  Common(Options all, Ingest& streams, const PublishGuard& publish_guard)
      : options(std::move(all)),
        ingest(streams),
        guard(publish_guard),
        admissions(
            std::make_shared<Admissions>(options.max_connections, options.max_connections_per_address)) {}

  const Options options;
  Ingest& ingest;
  const PublishGuard& guard;
  const std::shared_ptr<Admissions> admissions;
  LogGate log_gate{20, std::chrono::seconds(1)};

  /// A warning, unless peers have made too many of them.
  void warn(const std::string& line);
};

/// A caller that was let in, between its handshake and `srt_accept`.
struct Guest {
  PublishRequest request;
  Admissions::Ticket ticket;
  std::chrono::steady_clock::time_point since;
  Claims::Claim claim;  ///< until the stream has decided; null where the passphrase has to be shown first
};

/// Decides on callers in libsrt's own handshake thread, from memory, so that a refused one learns its reason
/// as a reject code. Thread-safe.
class Doorkeeper {
 public:
  using Id = int;  ///< libsrt's socket number, the same in the handshake and after `srt_accept`

  explicit Doorkeeper(std::shared_ptr<Common> common) : common_(std::move(common)) {}

  struct Decision {
    int reject_code = 0;     ///< 0: let in
    std::string passphrase;  ///< that the connection must be encrypted with
  };
  /// `fixed`: the stream of the port; may be empty.
  Decision decide(Id id, const boost::asio::ip::udp::endpoint& peer, std::string_view stream_id,
                  const std::string& fixed);
  /// The guest behind an accepted socket; empty: it is not known (any more).
  std::optional<Guest> take(Id id);

 private:
  Result<PublishTerms> let_in(Id id, const boost::asio::ip::udp::endpoint& peer, std::string_view stream_id,
                              const std::string& fixed, std::string& asked);
  void forget_old_guests(std::chrono::steady_clock::time_point now);

  const std::shared_ptr<Common> common_;
  const std::shared_ptr<Claims> claims_ = std::make_shared<Claims>();
  std::mutex mutex_;
  std::map<Id, Guest> guests_;  ///< bounded by the admissions; those whose handshake failed leave by time
};

}  // namespace lookback::server::srt
