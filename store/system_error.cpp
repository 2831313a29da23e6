#include "store/system_error.hpp"

#include <cerrno>
#include <system_error>

namespace lookback::store {

Errc errc_of(int error) {
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return Errc::reserve_reached;
    case EROFS:
    case EACCES:
    case EPERM:
      return Errc::read_only;
    case ENOENT:
      return Errc::not_found;
    default:
      return Errc::io_error;
  }
}

std::string describe(const std::string& what, int error) {
  return what + ": " + std::generic_category().message(error) + " (" + std::to_string(error) + ")";
}

}  // namespace lookback::store
