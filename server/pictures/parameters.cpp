#include "server/pictures/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "server/archive/view_request.hpp"

namespace lookback::server::pictures {

using archive::Problem;

std::optional<Problem> take_number(std::uint32_t& out, const NumberBounds& bounds, std::string_view text) {
  if (out != 0) return Problem{400, fmt::format("{} stands twice; leave one away", bounds.name)};
  std::uint32_t value = 0;
  const auto* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, value);
  if (text.empty() || end != last || error == std::errc::invalid_argument)
    return Problem{400, fmt::format("{} must be a whole number of {}", bounds.name, bounds.unit)};
  if (error != std::errc() || value < bounds.least || value > bounds.most) {
    return Problem{422, fmt::format("{} is out of range; allowed is {} to {} {}", bounds.name, bounds.least,
                                    bounds.most, bounds.unit)};
  }
  out = value;
  return {};
}

std::optional<Problem> take_parameters(
    std::string_view query,
    const std::function<std::optional<Problem>(std::string_view name, const std::string& value)>& take) {
  while (!query.empty()) {
    const auto parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    const auto name = parameter.substr(0, parameter.find('='));
    const auto value = parameter.substr(std::min(parameter.size(), name.size() + 1));
    if (auto problem = take(name, archive::decode_percent(value))) return problem;
  }
  return {};
}

}  // namespace lookback::server::pictures
