#pragma once
#include <string>

#include <boost/system/error_code.hpp>

namespace lookback::server::srt {

/// The code that a refused caller sees, out of libsrt's access_control.h.
int reject_code(const boost::system::error_code& error);

/// Why a remote listener did not take a call (srt_getrejectreason), for the log and the API.
std::string refusal_in_words(int reason);

}  // namespace lookback::server::srt
