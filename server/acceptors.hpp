#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <vector>

#include "server/listen_address.hpp"
#include "store/base/result.hpp"

namespace lookback::server {

/// Opens one listening socket per context, all on the same port, so that the kernel spreads connections over
/// the threads (SO_REUSEPORT). With port 0 the first picks a free port for all. A port that another socket
/// listens on is refused, also when that socket shares ports itself. `contexts` must not be empty.
/// Errors: the system's, such as address_in_use, permission_denied, address_not_available.
Result<std::vector<boost::asio::ip::tcp::acceptor>> open_acceptors(
    const std::vector<boost::asio::io_context*>& contexts, const ListenAddress& address);

}  // namespace lookback::server
