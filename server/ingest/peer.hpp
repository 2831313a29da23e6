#pragma once
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string>

namespace lookback::server {

/// An IPv4 address that came through a dual-stack socket as ::ffff:a.b.c.d, in its own form.
boost::asio::ip::address plain_address(const boost::asio::ip::address& address);

/// "192.0.2.7:50412", "[2001:db8::1]:50412": for logs and the API. `address` is a plain one.
std::string peer_name(const boost::asio::ip::address& address, std::uint16_t port);

}  // namespace lookback::server
