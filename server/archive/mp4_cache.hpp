#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "server/archive/mp4_movie.hpp"
#include "server/base/single_flight.hpp"
#include "store/base/lru.hpp"

namespace lookback::server {

/// Built MP4s, so that the ranges of a download cost nothing, and each is built once however many ask for it
/// at the same time. One is built after the other, on the blocking pool. The one longest unused goes first;
/// one that is larger than the whole cache is given out and not kept. Thread-safe; the pool outlives it, and
/// it must outlive the run of the pool and of its callers.
class Mp4Cache {
 public:
  using Build = std::function<Result<Mp4Outcome>()>;
  using Outcome = Result<Mp4Outcome>;

  static constexpr std::size_t max_builds = 64;  ///< waiting for their turn

  Mp4Cache(std::size_t max_bytes, boost::asio::thread_pool& pool)
      : kept_(max_bytes), builder_(boost::asio::make_strand(pool.get_executor())) {}

  /// What `key` names, from memory or by `build` (blocking, called on the pool). Errors are not kept: those
  /// of `build`; queue_full when too many others wait.
  boost::asio::awaitable<Outcome> get(std::string key, Build build);
  /// Its bytes have gone, or have been found damaged: the next request has it built anew.
  void forget(const std::string& key);

  std::size_t bytes() const;
  /// How many were built so far.
  std::uint64_t built() const;

 private:
  using Flight = SingleFlight<Outcome>;

  /// The outcome, if there is one already; else the waiter will be given it.
  std::optional<Outcome> find_or_wait(const std::string& key, const Build& build,
                                      const Flight::WaiterPtr& waiter);
  void run(const std::string& key, const Build& build);

  mutable std::mutex mutex_;  ///< guards what follows, but for builder_
  Lru<std::string, Mp4Outcome> kept_;
  Flight waiting_;
  std::uint64_t built_ = 0;
  const boost::asio::strand<boost::asio::thread_pool::executor_type> builder_;
};

}  // namespace lookback::server
