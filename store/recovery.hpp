#pragma once
#include <vector>

#include "store/core.hpp"
#include "store/store.hpp"

namespace lookback::store {

struct Recovered {
  RecoveryReport report;
  std::vector<DoomedFile> files_to_unlink;  ///< once the index is durable
};

/// Brings index and extents together after the last run, however it ended, and fills the extent table. Reads
/// only what is newer than each extent's last sync. Runs before the store's threads start. Errors: damaged
/// (the index has lost records it had made durable), io_error, reserve_reached.
Result<Recovered> recover(Core& core);

}  // namespace lookback::store
