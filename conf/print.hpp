#pragma once
#include <string>

#include "conf/config.hpp"

namespace lookback::conf {

/// Every effective value with where it came from, as a TOML document that `load` reads back as the same
/// configuration. Secrets are left out.
std::string print_toml(const Config& config);

/// The same for scripts: {"settings":[{"key":"http.listen","value":":8080","origin":"default"},...]}.
std::string print_json(const Config& config);

}  // namespace lookback::conf
