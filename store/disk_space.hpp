#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>

namespace lookback::store {

/// How much may still be written. Asks the file system once a second (when space is short, fifty times) and
/// keeps count of the store's own writes in between. Thread-safe.
class DiskSpace {
 public:
  /// Free space below which not even the index is written: RocksDB 7.8 ends the process when its log meets
  /// a full disk. Media stops earlier, at the reserve.
  static constexpr std::uint64_t index_floor_bytes = 64 << 20;

  /// `reserve_bytes`: kept free, at least the floor.
  DiskSpace(std::filesystem::path path, std::uint64_t reserve_bytes);

  /// How many bytes must go before `need` more may be written; 0: none.
  std::uint64_t shortage(std::uint64_t need);
  /// The index may be written: there is room above the floor, and the file system takes writes.
  bool takes_index();

  /// Asks the file system again when the answer is old: while nothing is written nobody else does.
  void refresh_when_stale() { (void)takes_index(); }
  /// As last asked; never waits for the file system.
  std::uint64_t known_free() const { return known_free_; }
  std::uint64_t reserve() const { return reserve_; }

  void wrote(std::uint64_t size_bytes);
  void freed(std::uint64_t size_bytes);

 private:
  using Clock = std::chrono::steady_clock;

  void refresh();  ///< with mutex_ held

  const std::filesystem::path path_;
  const std::uint64_t reserve_;
  std::mutex mutex_;
  std::uint64_t free_ = 0;
  std::atomic<std::uint64_t> known_free_ = 0;  ///< free_, for those who must not wait
  bool writable_ = true;
  Clock::time_point asked_{};
};

}  // namespace lookback::store
