#include "store/msn_ranges.hpp"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <set>

using namespace lookback::store;

TEST_CASE("a set of ranges answers as a set of numbers does", "[store][ranges]") {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    std::vector<MsnRange> ranges(random() % 6);
    std::set<std::uint64_t> numbers;
    for (auto& range : ranges) {
      range = {random() % 40, random() % 40};
      for (auto n = range.first; n < range.end; ++n) numbers.insert(n);
    }
    const MsnRanges set(ranges);
    const std::uint64_t first = random() % 45, end = random() % 45;
    bool overlap = false;
    std::set<std::uint64_t> outside;
    for (auto n = first; n < end; ++n) {
      overlap |= numbers.contains(n);
      if (!numbers.contains(n)) outside.insert(n);
    }
    CHECK(set.overlap(first, end) == overlap);
    std::set<std::uint64_t> found;
    for (const auto& hole : set.holes(first, end, 100)) {
      for (auto n = hole.first; n < hole.end; ++n) CHECK(found.insert(n).second);
    }
    CHECK(found == outside);
    CHECK(set.empty() == numbers.empty());
  }
}

TEST_CASE("a range without an end holds all that follows", "[store][ranges]") {
  const MsnRanges set({{10, UINT64_MAX}});
  CHECK(set.overlap(1ull << 60, (1ull << 60) + 1));
  CHECK(!set.overlap(0, 10));
  CHECK(set.holes(0, UINT64_MAX, 5) == std::vector<MsnRange>{{0, 10}});
}

TEST_CASE("holes are as few as asked for", "[store][ranges]") {
  const MsnRanges set({{2, 3}, {4, 5}, {6, 7}});
  CHECK(set.holes(0, 9, 2) == std::vector<MsnRange>{{0, 2}, {3, 4}});
}
