#include "server/acceptors.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>
#include <string>

using namespace lookback::server;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

auto open_on(std::vector<asio::io_context*> contexts, const std::string& text) {
  return open_acceptors(contexts, parse_listen_address(text).value());
}

}  // namespace

TEST_CASE("all threads listen on one free port, and each gets connections", "[acceptors]") {
  asio::io_context first, second;
  auto acceptors = open_on({&first, &second}, "127.0.0.1:0");
  REQUIRE(acceptors.has_value());
  REQUIRE(acceptors->size() == 2);
  const auto endpoint = (*acceptors)[0].local_endpoint();
  CHECK(endpoint.port() != 0);
  CHECK((*acceptors)[1].local_endpoint() == endpoint);

  int taken[2] = {0, 0};
  for (auto& acceptor : *acceptors) acceptor.non_blocking(true);
  std::vector<tcp::socket> clients;
  for (int i = 0; i < 64; ++i) {  // the kernel spreads by a hash of the client's port: 2^-63 for all on one
    clients.emplace_back(first).connect(endpoint);
    for (int thread = 0; thread < 2; ++thread) {
      boost::system::error_code ec;
      (*acceptors)[thread].accept(ec);
      taken[thread] += !ec;
    }
  }
  CHECK(taken[0] + taken[1] == 64);
  CHECK(taken[0] > 0);
  CHECK(taken[1] > 0);
}

TEST_CASE("a port in use is refused, although the listeners share it among themselves", "[acceptors]") {
  asio::io_context context;
  const auto holder = open_on({&context, &context}, "127.0.0.1:0");
  REQUIRE(holder.has_value());
  const auto port = std::to_string(holder->front().local_endpoint().port());
  const auto second = open_on({&context, &context}, "127.0.0.1:" + port);
  REQUIRE(second.has_error());
  CHECK(second.error() == asio::error::address_in_use);
}

TEST_CASE("an address that is not ours is refused", "[acceptors]") {
  asio::io_context context;
  const auto acceptors = open_on({&context}, "192.0.2.1:0");  // TEST-NET-1, RFC 5737
  REQUIRE(acceptors.has_error());
  CHECK(acceptors.error() == boost::system::errc::address_not_available);
}
