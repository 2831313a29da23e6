#pragma once
#include <string>
#include <vector>

#include "conf/config.hpp"

namespace lookback::conf {

/// What is wrong between keys that are each fine by themselves. One line each, starting with the origin of
/// the value to change.
std::vector<std::string> check(const Config& config);

}  // namespace lookback::conf
