#include "server/api/query.hpp"

#include <boost/url/parse_query.hpp>
#include <charconv>

#include "server/archive/time_grammar.hpp"

namespace lookback::server::api {
namespace {

constexpr std::uint64_t max_page = 500, max_offset = 10'000'000;

Problem wrong(std::string_view name, std::string detail) {
  return field_problem(400, "?" + std::string(name), std::move(detail));
}

}  // namespace

Outcome<Query> Query::parse(std::string_view text) {
  Query query;
  if (text.empty()) return query;  // Boost.URL 1.83 takes an empty view for a text that ends with a zero
  const auto parsed = boost::urls::parse_query(text);
  if (!parsed) return Problem{400, "the query breaks RFC 3986; percent-encode what it does not allow"};
  for (const auto& parameter : *parsed) {
    const std::string name = parameter.key.decode();
    if (name.empty()) continue;
    const bool fresh = query.values_.emplace(name, parameter.value.decode()).second;
    if (!fresh) return wrong(name, "stands twice; keep one of them");
  }
  return query;
}

std::optional<std::string> Query::take(std::string_view name) {
  known_.append(known_.empty() ? "" : ", ").append(name);
  const auto found = values_.find(name);
  if (found == values_.end()) return std::nullopt;
  auto value = std::move(found->second);
  values_.erase(found);
  return value;
}

Outcome<std::uint64_t> Query::number(std::string_view name, std::uint64_t min, std::uint64_t max,
                                     std::uint64_t fallback) {
  const auto text = take(name);
  if (!text) return fallback;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool whole = error == std::errc{} && end == text->data() + text->size();
  if (whole && value >= min && value <= max) return value;
  return wrong(name, "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max));
}

Outcome<std::int64_t> Query::time(std::string_view name, std::int64_t now_us, std::int64_t fallback) {
  const auto text = take(name);
  if (!text) return fallback;
  const auto moment = archive::parse_time(name, *text);
  if (!moment) return wrong(name, moment.error().detail);
  return moment->at(now_us);
}

Outcome<int> Query::finish() const {
  if (values_.empty()) return 0;
  return wrong(values_.begin()->first, "is not known here; known are " + known_);
}

Outcome<Page> take_page(Query& query) {
  const auto limit = query.number("limit", 1, max_page, 100);
  if (!limit) return limit.error();
  const auto offset = query.number("offset", 0, max_offset, 0);
  if (!offset) return offset.error();
  return Page{static_cast<std::size_t>(*offset), static_cast<std::size_t>(*limit)};
}

}  // namespace lookback::server::api
