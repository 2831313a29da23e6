#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <string_view>

#include "store/base/result.hpp"

namespace lookback::server {

/// Where a listener binds.
struct ListenAddress {
  boost::asio::ip::tcp::endpoint endpoint;  ///< port 0 picks a free one
  bool dual_stack = false;  ///< [::] that takes IPv4 as well; 0.0.0.0 on a machine without IPv6
};

/// Reads "HOST:PORT", "[::1]:PORT", or ":PORT" for all addresses of the machine. HOST is a numeric address or
/// "localhost" (127.0.0.1): a listener must not depend on a resolver. Pure. Errors: errc::invalid_argument.
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace lookback::server
