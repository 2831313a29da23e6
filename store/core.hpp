#pragma once
#include <memory>

#include "store/catalog.hpp"
#include "store/damage_watch.hpp"
#include "store/disk_space.hpp"
#include "store/extent_cache.hpp"
#include "store/extent_table.hpp"
#include "store/folder.hpp"
#include "store/index.hpp"
#include "store/options.hpp"
#include "store/recording_log.hpp"
#include "store/stream_log.hpp"
#include "store/usage.hpp"

namespace lookback::store {

/// What the store's threads share. Each member is thread-safe by its own rules.
struct Core {
  Core(Options settings, Folder data)
      : options(std::move(settings)), folder(std::move(data)), space(options.path, options.reserve_bytes) {}

  /// Opens the index, and what stands on it.
  Result<void> open_index() {
    auto opened = Index::open(folder.index_path(), folder.is_new(), space, options.log);
    if (!opened) return opened.error();
    index = std::move(*opened);
    catalog = std::make_unique<Catalog>(*index);
    extents = std::make_unique<ExtentTable>(*index);
    return {};
  }

  const Options options;
  Folder folder;
  DiskSpace space;
  std::unique_ptr<Index> index;
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<ExtentTable> extents;
  StreamLog stream_log{options.path, options.log};
  RecordingLog recording_log{options.path, options.log};
  GrowthMeter growth;
  DamageWatch damage;
  ExtentCache cache{folder, options.max_open_extents};
};

}  // namespace lookback::store
