#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "store/base/result.hpp"
#include "store/extent_file.hpp"
#include "store/folder.hpp"

namespace lookback::store {

/// Open extents for readers; the one longest unused is let go first. Thread-safe.
class ExtentCache {
 public:
  ExtentCache(const Folder& folder, std::size_t capacity) : folder_(folder), capacity_(capacity) {}

  /// Errors: not_found, io_error.
  Result<std::shared_ptr<const ExtentFile>> open(std::uint64_t id, const Log& log);
  /// Removes the file of `id`. Readers that hold it read on; nobody new finds it.
  void unlink(std::uint64_t id, const Log& log);

 private:
  using Entry = std::pair<std::uint64_t, std::shared_ptr<const ExtentFile>>;

  const Folder& folder_;
  const std::size_t capacity_;
  std::mutex mutex_;
  std::list<Entry> by_use_;  ///< newest first
  std::unordered_map<std::uint64_t, std::list<Entry>::iterator> by_id_;
};

}  // namespace lookback::store
