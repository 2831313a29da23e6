#include "store/extent_cache.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "store/system_error.hpp"

namespace lookback::store {

Result<std::shared_ptr<const ExtentFile>> ExtentCache::open(std::uint64_t id, const Log& log) {
  const std::lock_guard lock(mutex_);
  if (const auto* found = open_.find(id)) return *found;
  // Opened under the lock: a file that `unlink` removes meanwhile cannot enter the cache afterwards.
  const auto name = extent_name(id);
  const int descriptor = ::openat(folder_.extents_descriptor(), name.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == ENOENT) return Errc::not_found;
    log(describe("opening " + name, errno));
    return Errc::io_error;
  }
  auto file = std::make_shared<const ExtentFile>(descriptor);
  open_.put(id, file);
  return file;
}

void ExtentCache::unlink(std::uint64_t id, const Log& log) {
  const auto name = extent_name(id);
  if (::unlinkat(folder_.extents_descriptor(), name.c_str(), 0) != 0 && errno != ENOENT) {
    log(describe("removing " + name, errno));
  }
  std::optional<std::shared_ptr<const ExtentFile>> file;  // closed after the lock: that may free the blocks
  const std::lock_guard lock(mutex_);
  file = open_.take(id);
}

}  // namespace lookback::store
