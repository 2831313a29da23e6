#include "server/ingest/query_text.hpp"

#include <charconv>

namespace lookback::server {

std::string percent_decoded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char value = 0;
    const auto* digits = text.data() + i + 1;
    const bool coded = text[i] == '%' && text.size() - i > 2 &&
                       std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2;
    out.push_back(coded ? static_cast<char>(value) : text[i]);
    if (coded) i += 2;
  }
  return out;
}

std::optional<QueryPair> next_pair(std::string_view& query) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return QueryPair{pair, {}, false};
    return QueryPair{pair.substr(0, equals), pair.substr(equals + 1), true};
  }
  return std::nullopt;
}

std::optional<std::string_view> query_value(std::string_view query, std::string_view name) {
  while (const auto pair = next_pair(query)) {
    if (pair->has_value && pair->name == name) return pair->value;
  }
  return std::nullopt;
}

}  // namespace lookback::server
