#pragma once
#include <string>

#include "store/base/errc.hpp"

namespace lookback::store {

/// What an `errno` means to the store.
Errc errc_of(int error);
/// "opening PATH: No such file or directory (2)".
std::string describe(const std::string& what, int error);

}  // namespace lookback::store
