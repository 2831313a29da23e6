#pragma once
#include "server/pictures/job.hpp"

namespace lookback::server::pictures::worker {

/// Does a job: decode, scale, perhaps lay into the grid, encode. Throws std::bad_alloc.
Reply perform(const Job& job);

}  // namespace lookback::server::pictures::worker
