#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace lookback::server::pictures {

/// Bounds of decoding: what one job, one process and all of them may take.
struct Options {
  std::size_t workers = 1;                      ///< processes that decode and encode, each with one thread
  std::size_t max_queue = 256;                  ///< jobs that wait; less important ones are skipped earlier
  std::chrono::milliseconds max_wait{10'000};   ///< of a job in the queue; it is skipped after that
  std::chrono::milliseconds max_time{10'000};   ///< wall clock of one job; its process is killed after that
  std::chrono::milliseconds max_cpu{5'000};     ///< CPU time of one job; the same
  std::uint64_t max_memory_bytes = 512u << 20;  ///< of one process, on top of its own code
  std::uint64_t max_pixels = 8192ull * 4320;    ///< of one source picture; a larger one is not decoded
  std::size_t jobs_per_process = 1'000;         ///< then a fresh process takes its place
  std::size_t cache_bytes = 64u << 20;          ///< finished pictures that are kept for the next request
  std::string sheet_widths = "160";        ///< cells of sprite sheets, pixels: "160", "320", "160 and 320"
  std::uint32_t max_side = 1'920;          ///< width and height that a request may ask for, in pixels
  std::string program = "/proc/self/exe";  ///< what is run as `PROGRAM worker`
};

}  // namespace lookback::server::pictures
