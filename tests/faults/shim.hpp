#pragma once
#include <atomic>
#include <cstdint>

/// Faults of the file system, made in the process itself: the program that links shim.cpp (or is started with
/// it as LD_PRELOAD) has its file calls counted, failed, torn or delayed as a shared file says.
namespace lookback::faults {

enum Call : std::uint32_t {
  call_write = 1,     ///< write, pwrite, writev, pwritev
  call_sync = 2,      ///< fsync, fdatasync, syncfs
  call_open = 4,      ///< open, openat that may write or create
  call_truncate = 8,  ///< ftruncate, truncate
  call_allocate = 16,
  call_rename = 32,
  call_unlink = 64,
};

/// What a file is to the store.
enum Place : std::uint32_t {
  place_index_log = 1,  ///< index/*.log
  place_index = 2,      ///< the rest of index/
  place_extents = 4,
  place_folder = 8,  ///< beside them
};

enum class How : std::uint32_t {
  error,  ///< the call fails and does nothing
  torn,   ///< a write writes half and then fails
  brief,  ///< a write writes half and says so: no fault by POSIX
  stall,  ///< the call comes `stall_ms` late
};

/// The shared file. Set by the test, read by the shim; `seen` counts matching calls either way.
struct Control {
  std::atomic<std::uint32_t> calls, places;  ///< masks; 0: none
  std::atomic<std::uint32_t> how, error, stall_ms;
  std::atomic<std::uint64_t> first, count;  ///< the calls from number `first` (1, 2, ...) on, `count` of them
  std::atomic<std::uint64_t> seen;
  std::atomic<std::uint64_t> hit;  ///< faults made
};

/// Environment: the folder whose files are meant, and the shared file; for power cuts the folder that keeps
/// what is durable (power.hpp).
inline constexpr const char* folder_variable = "LOOKBACK_FAULT_FOLDER";
inline constexpr const char* control_variable = "LOOKBACK_FAULT_CONTROL";
inline constexpr const char* mirror_variable = "LOOKBACK_FAULT_MIRROR";

}  // namespace lookback::faults
