#include "server/api/query.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string_view>
#include <vector>

using namespace lookback::server::api;

TEST_CASE("an empty query has no parameters, and nothing behind it is read", "[api][query]") {
  const std::vector<char> text{'a'};  // AddressSanitizer sees who looks for a zero behind it
  auto query = Query::parse({text.data(), 0});
  REQUIRE(query.has_value());
  CHECK_FALSE(query->take("a").has_value());
  CHECK(query->finish().has_value());
}

TEST_CASE("a parameter that stands twice, or breaks RFC 3986, is refused", "[api][query]") {
  CHECK_FALSE(Query::parse("a=1&a=2").has_value());
  CHECK_FALSE(Query::parse("a=%zz").has_value());
  auto query = Query::parse("a=%41%20b&limit=5");
  REQUIRE(query.has_value());
  CHECK(query->take("a") == "A b");
  CHECK_FALSE(query->finish().has_value());  // limit is not known here
}
