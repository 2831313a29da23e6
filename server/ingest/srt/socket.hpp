#pragma once
#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <string>
#include <utility>

#include "server/ingest/link_stats.hpp"
#include "server/ingest/srt/options.hpp"
#include "server/ingest/srt/pull/options.hpp"
#include "server/listen_address.hpp"
#include "store/base/result.hpp"

struct sockaddr;

/// libsrt's sockets, as far as the listener needs them. Its errors become system errors here.
namespace lookback::server::srt {

/// libsrt runs while one of these lives. It is told to log nothing that peers can cause.
class Library {
 public:
  Library();
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

/// Closes with its owner.
class Socket {
 public:
  using Id = int;
  explicit Socket(Id id) : id_(id) {}
  Socket(Socket&& other) noexcept : id_(std::exchange(other.id_, none)) {}
  Socket& operator=(Socket&& other) = delete;
  ~Socket();
  Id id() const { return id_; }

 private:
  static constexpr Id none = -1;
  Id id_;
};

/// The newest error of this thread's libsrt calls: the system's, or one like it.
boost::system::error_code last_error();

/// A socket that is bound as `address` says and not listening yet. Errors: the system's.
Result<Socket> bind_socket(const ListenAddress& address, const Options& options);
/// A socket that will call `target` without blocking. Errors: the system's.
Result<Socket> call_socket(const PullTarget& target, const Options& options);
std::uint16_t port_of(const Socket& socket);
/// An address that libsrt gives.
boost::asio::ip::udp::endpoint endpoint_of(const sockaddr& address);

/// Counts of the whole connection; all 0 when it is gone.
LinkStats stats_of(Socket::Id id);
/// "libsrt 1.5.1": what the peer's handshake said.
std::string peer_version(Socket::Id id);
/// "libsrt 1.5.1": ours.
std::string library_version();

}  // namespace lookback::server::srt
