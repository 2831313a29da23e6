#include "server/listen_address.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <sstream>
#include <string>

using namespace lookback::server;

TEST_CASE("listen addresses are a numeric host and a port", "[listen_address]") {
  struct Case {
    std::string text, endpoint;
    bool dual_stack;
  };
  const auto one = GENERATE(values<Case>({{":1935", "[::]:1935", true},
                                          {":0", "[::]:0", true},
                                          {"127.0.0.1:8080", "127.0.0.1:8080", false},
                                          {"localhost:8080", "127.0.0.1:8080", false},
                                          {"0.0.0.0:1", "0.0.0.0:1", false},
                                          {"[::1]:65535", "[::1]:65535", false},
                                          {"[::]:80", "[::]:80", false}}));
  CAPTURE(one.text);
  const auto address = parse_listen_address(one.text);
  REQUIRE(address.has_value());
  std::ostringstream endpoint;
  endpoint << address->endpoint;
  CHECK(endpoint.str() == one.endpoint);
  CHECK(address->dual_stack == one.dual_stack);
}

TEST_CASE("anything else is no listen address", "[listen_address]") {
  const auto text = GENERATE(as<std::string>{}, "", ":", "1935", "127.0.0.1", "127.0.0.1:", ":65536", ":-1",
                             ":80x", ": 80", ":+80", "::1:80", "[::1]", "[::1]80", "[]:80", "[127.0.0.1]:80",
                             "256.0.0.1:80", "example.org:80", " 127.0.0.1:80", "127.0.0.1:80 ");
  CAPTURE(text);
  CHECK(parse_listen_address(text).has_error());
}
