#pragma once
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "server/http/assets.hpp"
#include "server/live/hub.hpp"
#include "store/store.hpp"

namespace lookback::server::http {

/// What the server shows. Everything named here outlives the run of the network threads.
struct Site {
  Hub& hub;
  store::Store& store;
  boost::asio::thread_pool& blocking;  ///< for store calls and reads that may wait for a disk
  std::span<const Asset> assets;
  std::function<bool()> ready;  ///< for /readyz; thread-safe, does not block
  /// A stored segment that has left its playlist's window, by stream and track name ("live/news", "v0").
  /// Called on `blocking`; thread-safe. Not set: such segments are not served.
  std::function<Result<store::SegmentRecord>(const std::string& stream, const std::string& track,
                                             std::uint64_t msn)>
      find_segment;
};

}  // namespace lookback::server::http
