#include "server/acceptors.hpp"

#include <sys/socket.h>

#include <boost/asio/detail/socket_option.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <cassert>

namespace lookback::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

/// The first socket of a port binds alone and shares the port only afterwards: were it to share from the
/// start, a second server of the same user would bind as well and silently take half of the connections.
enum class Share { after_bind, before_bind };

Result<tcp::acceptor> open_one(asio::io_context& context, const tcp::endpoint& endpoint, bool dual_stack,
                               Share share) {
  tcp::acceptor acceptor(context);
  error_code ec;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec && endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(!dual_stack), ec);
  if (!ec && share == Share::before_bind) acceptor.set_option(ReusePort(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec && share == Share::after_bind) acceptor.set_option(ReusePort(true), ec);
  if (!ec) acceptor.listen(asio::socket_base::max_listen_connections, ec);
  if (ec) return ec;
  return Result<tcp::acceptor>(std::move(acceptor));
}

bool without_ipv6(const error_code& ec) {
  return ec == asio::error::address_family_not_supported || ec == boost::system::errc::address_not_available;
}

}  // namespace

Result<std::vector<tcp::acceptor>> open_acceptors(const std::vector<asio::io_context*>& contexts,
                                                  const ListenAddress& address) {
  assert(!contexts.empty());
  auto endpoint = address.endpoint;
  auto first = open_one(*contexts.front(), endpoint, address.dual_stack, Share::after_bind);
  if (!first && address.dual_stack && without_ipv6(first.error())) {
    endpoint = {asio::ip::address_v4::any(), endpoint.port()};
    first = open_one(*contexts.front(), endpoint, false, Share::after_bind);
  }
  if (!first) return first.error();

  error_code ec;
  endpoint.port(first->local_endpoint(ec).port());
  if (ec) return ec;
  const bool dual_stack = address.dual_stack && endpoint.address().is_v6();

  std::vector<tcp::acceptor> acceptors;
  acceptors.push_back(std::move(*first));
  for (std::size_t i = 1; i < contexts.size(); ++i) {
    auto next = open_one(*contexts[i], endpoint, dual_stack, Share::before_bind);
    if (!next) return next.error();
    acceptors.push_back(std::move(*next));
  }
  return Result<std::vector<tcp::acceptor>>(std::move(acceptors));
}

}  // namespace lookback::server
