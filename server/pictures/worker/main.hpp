#pragma once
#include <string_view>

namespace lookback::server::pictures {

/// A picture worker: `lookback worker MEMORY_BYTES`, started by the server with a socket as standard input.
/// Does one job after the other until the socket ends; returns the process's exit code.
int run_worker(std::string_view max_memory_bytes);

/// Word by which the program is told to be one.
inline constexpr const char* worker_command = "worker";

}  // namespace lookback::server::pictures
