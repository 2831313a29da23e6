#pragma once
#include <string>

namespace lookback::packager {

/// One line for each library that this layer brings: "libavformat 59.27.100". Thread-safe.
std::string library_versions();

}  // namespace lookback::packager
