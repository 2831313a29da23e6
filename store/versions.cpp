#include "store/versions.hpp"

#include <rocksdb/version.h>

namespace lookback::store {

std::string library_versions() { return "RocksDB " + rocksdb::GetRocksVersionAsString(true) + "\n"; }

}  // namespace lookback::store
