#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/archive/mp4_movie.hpp"

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
      : max_bytes_(max_bytes), builder_(boost::asio::make_strand(pool.get_executor())) {}

  /// What `key` names, from memory or by `build` (blocking, called on the pool). Errors are not kept: those
  /// of `build`; queue_full when too many others wait.
  boost::asio::awaitable<Outcome> get(std::string key, Build build);
  /// Its bytes have gone, or have been found damaged: the next request has it built anew.
  void forget(const std::string& key);

  std::size_t bytes() const;
  /// How many were built so far.
  std::uint64_t built() const;

 private:
  /// A request that waits for a build. Belongs to its network thread.
  struct Waiter {
    explicit Waiter(boost::asio::any_io_executor executor)
        : timer(std::move(executor), boost::asio::steady_timer::time_point::max()) {}
    boost::asio::steady_timer timer;  ///< cancelled when the outcome is there
    std::optional<Outcome> outcome;
  };
  struct Kept {
    std::string key;
    Mp4Outcome outcome;
    std::size_t bytes = 0;
  };

  /// The outcome, if there is one already; else the waiter will be given it.
  std::optional<Outcome> find_or_wait(const std::string& key, const Build& build,
                                      const std::shared_ptr<Waiter>& waiter);
  void run(const std::string& key, const Build& build);
  void keep(const std::string& key, const Mp4Outcome& outcome);

  const std::size_t max_bytes_;
  const boost::asio::strand<boost::asio::thread_pool::executor_type> builder_;
  mutable std::mutex mutex_;  ///< guards what follows
  std::list<Kept> by_use_;    ///< newest first
  std::unordered_map<std::string, std::list<Kept>::iterator> by_key_;
  std::unordered_map<std::string, std::vector<std::shared_ptr<Waiter>>> waiting_;
  std::size_t bytes_ = 0;
  std::uint64_t built_ = 0;
};

}  // namespace lookback::server
