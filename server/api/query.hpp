#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "server/api/problem.hpp"

namespace lookback::server::api {

/// The parameters of a list: each at most once, none that is not known. Problems (400) name the parameter.
class Query {
 public:
  /// `text`: percent-encoded, as it came.
  static Outcome<Query> parse(std::string_view text);

  /// The value, decoded; empty: not given.
  std::optional<std::string> take(std::string_view name);
  /// A decimal number in [min, max]; `fallback` when it is not given.
  Outcome<std::uint64_t> number(std::string_view name, std::uint64_t min, std::uint64_t max,
                                std::uint64_t fallback);
  /// A moment, in us.
  Outcome<std::int64_t> time(std::string_view name, std::int64_t now_us, std::int64_t fallback);
  /// Complains about a parameter that nobody took; 0 otherwise.
  Outcome<int> finish() const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
  std::string known_;
};

/// Where a list begins and how long a page is: `limit` (1 to 500, 100) and `offset`.
struct Page {
  std::size_t offset = 0, limit = 100;
};
Outcome<Page> take_page(Query& query);

}  // namespace lookback::server::api
