#pragma once
#include <string>

namespace lookback::store {

/// One line for each library that this layer brings: "RocksDB 7.8.3". Thread-safe.
std::string library_versions();

}  // namespace lookback::store
