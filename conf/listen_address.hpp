#pragma once
#include <string_view>

#include "conf/errc.hpp"
#include "store/base/result.hpp"

namespace lookback::conf {

/// Checks the form of a listener's address: "127.0.0.1:8080", "[::1]:8080", "localhost:8080" or ":8080" (all
/// addresses), where port 0 picks a free one. Other names are refused: a listener must not depend on a
/// resolver. Errors: bad_address, bad_port.
Result<void> check_listen_address(std::string_view text);

}  // namespace lookback::conf
