#pragma once
#include <string>

#include "tests/support/srt_caller.hpp"

namespace lookback::support {

/// Sends a transport stream at the speed of its program clock (PCR, ISO/IEC 13818-1 2.4.3.5), and waits until
/// the last of it is due. False: the connection is gone. Throws std::runtime_error when it has no PCR.
bool send_in_time(SrtCaller& caller, const std::string& ts);

}  // namespace lookback::support
