#pragma once
#include <optional>
#include <string>
#include <string_view>

/// The query strings that encoders put behind names, keys and addresses. Pure functions.
namespace lookback::server {

/// RFC 3986 2.1; a percent sign without two hexadecimal digits stays as it is.
std::string percent_decoded(std::string_view text);

/// The pair in front of the next '&', which goes as well; empty pairs are passed over. Empty: none is left.
struct QueryPair {
  std::string_view name, value;  ///< not decoded
  bool has_value = false;
};
std::optional<QueryPair> next_pair(std::string_view& query);

/// The first value of that name, not decoded; empty: there is none.
std::optional<std::string_view> query_value(std::string_view query, std::string_view name);

}  // namespace lookback::server
