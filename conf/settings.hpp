#pragma once
#include <vector>

#include "conf/config.hpp"
#include "conf/setting.hpp"

namespace lookback::conf {

/// Every key of the process, in the order in which they are printed. Static, immutable.
const std::vector<Setting<Config>>& process_settings();

/// Every key of a stream, as in `[defaults]` and `[streams."..."]`. Static, immutable.
const std::vector<Setting<server::StreamSettings>>& stream_settings();

}  // namespace lookback::conf
