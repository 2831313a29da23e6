#pragma once
#include <string>

namespace lookback::server::api {

/// Tokens of the configuration; empty: none of that role.
struct Tokens {
  std::string admin, operate, read;
  bool any() const { return !admin.empty() || !operate.empty() || !read.empty(); }
};

}  // namespace lookback::server::api
