#pragma once
#include <array>
#include <atomic>
#include <cstdint>

namespace lookback::server::http {

/// A number that one thread changes and any thread may read; costs no locked instruction.
class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.store(value() + n, std::memory_order_relaxed); }
  void sub(std::uint64_t n = 1) { value_.store(value() - n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// What one network thread has done. Written by that thread, read by any.
struct Counters {
  std::array<Counter, 6> responses;  ///< by class: [2] is 2xx; [0] and [1] stay 0
  Counter bytes_sent;                ///< heads and bodies, before TLS
  Counter connections_accepted;
  Counter connections_refused;  ///< over `max_connections`
  Counter connections;          ///< open now
  Counter waiting;              ///< requests that are parked now
  Counter timeouts;             ///< connections cut by a timeout
  Counter read_errors;          ///< stored media that could not be sent whole
  Counter accept_errors;        ///< accepts that failed for want of descriptors or memory
};

/// The sum over all threads at one instant.
struct CounterTotals {
  std::array<std::uint64_t, 6> responses{};
  std::uint64_t bytes_sent = 0, connections_accepted = 0, connections_refused = 0, connections = 0,
                waiting = 0, timeouts = 0, read_errors = 0, accept_errors = 0;
};

}  // namespace lookback::server::http
