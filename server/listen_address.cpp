#include "server/listen_address.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/system/errc.hpp>
#include <charconv>
#include <cstdint>
#include <string>

namespace lookback::server {
namespace {

namespace ip = boost::asio::ip;

boost::system::error_code invalid() { return make_error_code(boost::system::errc::invalid_argument); }

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (ec != std::errc{} || end != text.data() + text.size()) return invalid();
  return port;
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return invalid();
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return port.error();

  auto host = text.substr(0, colon);
  if (host.empty()) return ListenAddress{{ip::address_v6::any(), *port}, true};
  if (host == "localhost") return ListenAddress{{ip::address_v4::loopback(), *port}, false};
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);

  boost::system::error_code ec;
  const auto address = ip::make_address(std::string(host), ec);
  if (ec || address.is_v6() != bracketed) return invalid();
  return ListenAddress{{address, *port}, false};
}

}  // namespace lookback::server
