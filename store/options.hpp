#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace lookback::store {

/// Takes one line: what went wrong or was mended, where, and the system's words. Called on any thread,
/// the store's own among them; must not call back into the store.
using Log = std::function<void(std::string)>;

struct Options {
  std::filesystem::path path = "./data";
  std::uint64_t reserve_bytes = 2ull << 30;  ///< disk space kept free
  std::uint64_t max_size_bytes = 0;          ///< cap on all extents; 0: none
  std::uint64_t extent_size_bytes = 256ull
                                    << 20;    ///< an extent ends with the segment that passes this size ...
  std::chrono::seconds extent_duration{600};  ///< ... or this age in media time
  std::chrono::milliseconds sync_interval{
      1000};                                     ///< at most this much is lost with the power (plus one sync)
  std::uint64_t max_queue_bytes = 256ull << 20;  ///< media waiting for the writer, all streams together
  /// A part that the disk has not taken for so long is listed from memory, at the risk of a crash. 0: at
  /// once.
  std::chrono::milliseconds max_write_delay{500};
  std::size_t max_open_extents = 512;  ///< descriptors kept open for readers
  Log log = [](std::string) {};
  /// Test seam: runs on the writer thread before each append is written, as a slow disk would.
  std::function<void()> before_write;
};

}  // namespace lookback::store
