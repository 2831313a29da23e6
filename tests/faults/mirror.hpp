#pragma once

/// Keeps, beside a store, what a power cut could not take from it: a copy of each file as of its last sync,
/// the names in each folder as of its last sync, and a hard link to each file (so that inode numbers are not
/// used twice, and what was unlinked can come back). Called by the shim; power.hpp makes the cut.
namespace lookback::faults {

/// A file that may be written is open.
void mirror_opened(int file);
/// The file, or folder, is durable as it is now.
void mirror_synced(int file);
/// All files and folders of the store are.
void mirror_synced_all();

}  // namespace lookback::faults
