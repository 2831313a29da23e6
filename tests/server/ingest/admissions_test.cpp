#include "server/ingest/admissions.hpp"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "server/ingest/peer.hpp"

using namespace lookback::server;
using boost::asio::ip::make_address;

TEST_CASE("connections are bounded for each address and all together, and leaving makes room",
          "[ingest][admissions]") {
  const auto admissions = std::make_shared<Admissions>(3, 2);
  const auto one = make_address("192.0.2.1"), two = make_address("192.0.2.2"),
             three = make_address("192.0.2.3");
  auto first = admissions->admit(one);
  {
    const auto second = admissions->admit(one);
    REQUIRE(second.has_value());
    CHECK_FALSE(admissions->admit(one).has_value());
    const auto third = admissions->admit(two);
    REQUIRE(third.has_value());
    CHECK_FALSE(admissions->admit(three).has_value());
    CHECK(admissions->total() == 3);
  }
  CHECK(admissions->total() == 1);
  const auto moved = std::move(*first);
  first.reset();
  CHECK(admissions->total() == 1);
  CHECK(admissions->admit(three).has_value());
}

TEST_CASE("an IPv4 peer of a dual-stack socket counts as what it is", "[ingest][admissions]") {
  CHECK(plain_address(make_address("::ffff:192.0.2.1")) == make_address("192.0.2.1"));
  CHECK(plain_address(make_address("2001:db8::1")) == make_address("2001:db8::1"));
  CHECK(plain_address(make_address("192.0.2.1")) == make_address("192.0.2.1"));
}
