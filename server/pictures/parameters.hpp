#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "server/archive/problem.hpp"

/// What requests for thumbnails and clips read alike. Pure.
namespace lookback::server::pictures {

/// A parameter that is a whole number: "width", in "pixels".
struct NumberBounds {
  std::string_view name, unit;
  std::uint32_t least = 1, most = 0;  ///< the least is not 0
};

/// Sets `out`, which is 0 as long as the parameter has not been met. Problems: 400 when it stands twice or is
/// no whole number, 422 when it is out of its bounds.
std::optional<archive::Problem> take_number(std::uint32_t& out, const NumberBounds& bounds,
                                            std::string_view text);

/// Gives each parameter of a query, with its percent-encoding undone, to `take` until that has a problem.
std::optional<archive::Problem> take_parameters(
    std::string_view query,
    const std::function<std::optional<archive::Problem>(std::string_view name, const std::string& value)>&
        take);

}  // namespace lookback::server::pictures
