#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace lookback::server::srt {

/// How the calls for a pulled stream go: a copy.
struct PullStatus {
  enum class State {
    waiting,    ///< until the next try
    resolving,  ///< the remote's name
    calling,
    connected,
  };
  std::string stream;
  std::string address;  ///< "srt://host:port"
  State state = State::waiting;
  std::string reason;          ///< why there is no connection, or why the last one ended; empty: neither yet
  std::uint64_t failures = 0;  ///< tries without media since the last connection that had some
  std::chrono::steady_clock::time_point next_try{};  ///< of one that waits
};

/// "connected", as the API has it.
std::string_view name_of(PullStatus::State state);

}  // namespace lookback::server::srt
