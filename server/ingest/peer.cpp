#include "server/ingest/peer.hpp"

#include <fmt/format.h>

#include <boost/asio/ip/address_v4.hpp>

namespace lookback::server {

boost::asio::ip::address plain_address(const boost::asio::ip::address& address) {
  if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return address;
  return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
}

std::string peer_name(const boost::asio::ip::address& address, std::uint16_t port) {
  if (address.is_v6()) return fmt::format("[{}]:{}", address.to_string(), port);
  return fmt::format("{}:{}", address.to_string(), port);
}

}  // namespace lookback::server
