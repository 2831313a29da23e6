#include "store/disk_space.hpp"

#include <sys/statvfs.h>

#include <algorithm>

namespace lookback::store {
namespace {

/// Other processes fill the disk too: the less there is, the sooner the answer is stale.
constexpr std::uint64_t ample_bytes = 4ull << 30;
constexpr std::chrono::milliseconds ample_interval{1000}, short_interval{20};

}  // namespace

DiskSpace::DiskSpace(std::filesystem::path path, std::uint64_t reserve_bytes)
    : path_(std::move(path)), reserve_(std::max(reserve_bytes, index_floor_bytes)) {}

void DiskSpace::refresh() {
  const auto now = Clock::now();
  const bool asked = asked_ != Clock::time_point{};
  if (asked && now - asked_ < (free_ >= ample_bytes ? ample_interval : short_interval)) return;
  asked_ = now;
  struct statvfs status {};
  // A file system that does not even answer takes no writes.
  writable_ = ::statvfs(path_.c_str(), &status) == 0 && !(status.f_flag & ST_RDONLY);
  free_ = writable_ ? std::uint64_t{status.f_bavail} * status.f_frsize : 0;
  known_free_ = free_;
}

std::uint64_t DiskSpace::shortage(std::uint64_t need) {
  const std::lock_guard lock(mutex_);
  refresh();
  const auto wanted = need > UINT64_MAX - reserve_ ? UINT64_MAX : need + reserve_;
  return wanted > free_ ? wanted - free_ : 0;
}

bool DiskSpace::takes_index() {
  const std::lock_guard lock(mutex_);
  refresh();
  return writable_ && free_ >= index_floor_bytes;
}

void DiskSpace::wrote(std::uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  free_ -= std::min(free_, size_bytes);
}

void DiskSpace::freed(std::uint64_t size_bytes) {
  const std::lock_guard lock(mutex_);
  free_ += size_bytes;
}

}  // namespace lookback::store
