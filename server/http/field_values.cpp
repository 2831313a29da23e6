#include "server/http/field_values.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace lookback::server::http {
namespace {

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Cuts the next element off `list`. Not for lists whose elements hold quoted commas.
std::string_view next_element(std::string_view& list, char separator) {
  const auto end = list.find(separator);
  const auto element = list.substr(0, end);
  list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  return trim(element);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool iequals(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

/// `qvalue` above zero: "0.001" but neither "0" nor "0.000" (RFC 9110 12.4.2). Broken weights count as zero.
bool positive_weight(std::string_view parameters) {
  while (!parameters.empty()) {
    const auto parameter = next_element(parameters, ';');
    if (parameter.size() < 2 || lower(parameter[0]) != 'q' || parameter[1] != '=') continue;
    return parameter.find_first_of("123456789", 2) != std::string_view::npos;
  }
  return true;
}

/// Digits only. Numbers that do not fit saturate: every size is below.
std::optional<std::uint64_t> parse_position(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  (void)end;
  return ec == std::errc{} ? value : std::numeric_limits<std::uint64_t>::max();
}

}  // namespace

bool if_none_match(std::string_view list, std::string_view etag) {
  list = trim(list);
  if (list == "*") return true;
  while (!list.empty()) {
    if (list.starts_with("W/")) list.remove_prefix(2);
    if (!list.starts_with('"')) return false;
    const auto close = list.find('"', 1);
    if (close == std::string_view::npos) return false;
    if (list.substr(0, close + 1) == etag) return true;
    list = trim(list.substr(close + 1));
    if (list.starts_with(',')) list = trim(list.substr(1));
  }
  return false;
}

bool if_range(std::string_view value, std::string_view etag) {
  value = trim(value);
  return value.empty() || value == etag;
}

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<bool> gzip, any;
  while (!accept_encoding.empty()) {
    auto parameters = next_element(accept_encoding, ',');
    const auto coding = next_element(parameters, ';');
    if (iequals(coding, "gzip") || iequals(coding, "x-gzip")) gzip = positive_weight(parameters);
    if (coding == "*") any = positive_weight(parameters);
  }
  return gzip.value_or(any.value_or(false));
}

ByteRange parse_range(std::string_view value, std::uint64_t size) {
  using Kind = ByteRange::Kind;
  constexpr std::string_view unit = "bytes=";
  if (value.size() < unit.size() || !iequals(value.substr(0, unit.size()), unit)) return {};
  const auto range = trim(value.substr(unit.size()));
  const auto dash = range.find('-');
  if (dash == std::string_view::npos || range.find(',') != std::string_view::npos) return {};

  const auto first = parse_position(range.substr(0, dash));
  const auto last = parse_position(range.substr(dash + 1));
  if (dash == 0) {  // the last N bytes
    if (!last) return {};
    if (*last == 0 || size == 0) return {Kind::unsatisfiable};
    const auto count = std::min(*last, size);
    return {Kind::part, size - count, count};
  }
  const bool open = dash + 1 == range.size();
  if (!first || (!open && !last) || (last && *last < *first)) return {};
  if (*first >= size) return {Kind::unsatisfiable};
  const auto end = open ? size - 1 : std::min(*last, size - 1);
  return {Kind::part, *first, end - *first + 1};
}

}  // namespace lookback::server::http
