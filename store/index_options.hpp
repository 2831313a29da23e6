#pragma once
#include <rocksdb/options.h>

#include <array>
#include <filesystem>
#include <memory>

#include "store/options.hpp"

/// How RocksDB is set up for the index.
namespace lookback::store {

/// By `Family`.
inline constexpr std::array<const char*, 8> family_names = {"default",  "streams", "tracks",     "inits",
                                                            "segments", "extents", "recordings", "sheets"};

rocksdb::DBOptions db_options(bool create, const Log& log);
rocksdb::ColumnFamilyOptions family_options();

/// Makes RocksDB create what an index of an older format lacks, and nothing else: that would hide damage.
void allow_newer_families(rocksdb::DBOptions& options, const std::filesystem::path& path);

}  // namespace lookback::store
