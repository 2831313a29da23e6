#pragma once
#include <boost/system/error_code.hpp>

namespace lookback::server::srt {

/// The code that a refused caller sees, out of libsrt's access_control.h.
int reject_code(const boost::system::error_code& error);

}  // namespace lookback::server::srt
