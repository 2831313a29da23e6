#pragma once
#include <chrono>
#include <cstdint>

namespace lookback::server {

/// How a publisher's network link does, as its protocol measures it; counts are of the whole session.
struct LinkStats {
  std::chrono::microseconds rtt{0};
  std::chrono::milliseconds latency{0};  ///< how long the receiver waits for what was lost on the way
  std::uint64_t received_packets = 0;    ///< what was sent again included
  std::uint64_t lost_packets = 0;        ///< missed at first; most of them come again
  std::uint64_t dropped_packets = 0;     ///< came too late or never: missing in the stream
  std::uint64_t undecrypted_packets = 0;
  double receive_mbps = 0;

  bool operator==(const LinkStats&) const = default;
};

}  // namespace lookback::server
