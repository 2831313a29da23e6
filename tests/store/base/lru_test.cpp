#include "store/base/lru.hpp"

#include <catch2/catch_test_macros.hpp>
#include <string>

using namespace lookback;

namespace {

using Words = Lru<std::string, int>;

}  // namespace

TEST_CASE("what was unused for longest leaves a full cache first", "[store][base][lru]") {
  Words words(3);
  words.put("one", 1);
  words.put("two", 2);
  words.put("three", 3);
  REQUIRE(words.find("one"));  // now "two" is the oldest
  words.put("four", 4);
  CHECK(words.find("two") == nullptr);
  for (const auto* kept : {"one", "three", "four"}) CHECK(words.find(kept));
  CHECK(words.weight() == 3);
}

TEST_CASE("a heavy value drives out as many as it takes, and no more", "[store][base][lru]") {
  Words words(10);
  for (int i = 0; i < 5; ++i) words.put(std::to_string(i), i, 2);
  words.put("heavy", 100, 3);
  CHECK(words.find("0") == nullptr);
  CHECK(words.find("1") == nullptr);
  CHECK(words.find("2"));
  CHECK(words.weight() == 9);
}

TEST_CASE("a value heavier than the whole cache is not kept, and its predecessor is not served",
          "[store][base][lru]") {
  Words words(10);
  words.put("small", 1, 4);
  words.put("page", 1, 4);
  words.put("page", 2, 11);
  CHECK(words.find("page") == nullptr);
  CHECK(words.find("small"));
  CHECK(words.weight() == 4);
}

TEST_CASE("a value that is put again replaces the first, weight and all", "[store][base][lru]") {
  Words words(10);
  words.put("page", 1, 8);
  words.put("page", 2, 3);
  REQUIRE(words.find("page"));
  CHECK(*words.find("page") == 2);
  CHECK(words.weight() == 3);
  CHECK(words.take("page") == 2);
  CHECK_FALSE(words.take("page"));
  CHECK(words.weight() == 0);
}
