#pragma once
#include <cstdint>

#include "store/base/result.hpp"

namespace lookback::server::pictures::worker {

/// Takes from the calling process what decoding has no need of: it yields the CPU to everybody else, and the
/// disk, has `max_memory_bytes` more than now, leaves no core dump, dies with its parent, and from here on
/// may call nothing of the kernel but for memory, clocks and reading and writing what is open. Errors: the
/// system's; a process that is not confined must not decode.
Result<void> enter_sandbox(std::uint64_t max_memory_bytes);

/// From now on `ms` of CPU time, then SIGXCPU ends the process.
void limit_cpu(std::uint32_t ms);

}  // namespace lookback::server::pictures::worker
