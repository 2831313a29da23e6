#pragma once
#include <cstdint>

#include "store/store.hpp"

namespace lookback::server {

/// What a stream lists when it is loaded: the segments that end after `from_us` (Unix us), and so many before
/// them that no playlist falls below three target durations (rfc8216bis 6.2.2); of a stream without a target
/// duration the newest one, as numbers go on from it. Blocking. Errors: the store's.
Result<store::Window> load_listed(store::Store& store, const store::StreamRecord& record,
                                  std::int64_t from_us);

}  // namespace lookback::server
