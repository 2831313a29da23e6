#pragma once
#include <cstdint>
#include <memory>
#include <mutex>

#include "store/base/lru.hpp"
#include "store/base/result.hpp"
#include "store/extent_file.hpp"
#include "store/folder.hpp"

namespace lookback::store {

/// Open extents for readers; the one longest unused is let go first. Thread-safe.
class ExtentCache {
 public:
  ExtentCache(const Folder& folder, std::size_t capacity) : folder_(folder), open_(capacity) {}

  /// Errors: not_found, io_error.
  Result<std::shared_ptr<const ExtentFile>> open(std::uint64_t id, const Log& log);
  /// Removes the file of `id`. Readers that hold it read on; nobody new finds it.
  void unlink(std::uint64_t id, const Log& log);

 private:
  const Folder& folder_;
  std::mutex mutex_;  ///< guards what follows
  Lru<std::uint64_t, std::shared_ptr<const ExtentFile>> open_;
};

}  // namespace lookback::store
