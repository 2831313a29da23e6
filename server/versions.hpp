#pragma once
#include <string>

namespace lookback::server {

/// "0.1.0".
std::string lookback_version();
/// Lookback and every library it runs with, a line each: what a bug report needs.
std::string library_versions();

}  // namespace lookback::server
