#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace lookback::server {

/// Lets many coroutines wait for what the first of them has made. Its owner guards it: not thread-safe. The
/// waiters belong to their executors.
template <class Outcome>
class SingleFlight {
 public:
  class Waiter {
   public:
    explicit Waiter(boost::asio::any_io_executor executor)
        : timer_(std::move(executor), boost::asio::steady_timer::time_point::max()) {}

    /// On its executor: what has been made.
    boost::asio::awaitable<Outcome> wait() {
      namespace asio = boost::asio;
      while (!outcome_) (void)co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
      co_return std::move(*outcome_);
    }

   private:
    friend class SingleFlight;
    boost::asio::steady_timer timer_;  ///< cancelled when the outcome is there
    std::optional<Outcome> outcome_;
  };
  using WaiterPtr = std::shared_ptr<Waiter>;

  /// How many outcomes are waited for.
  std::size_t size() const { return waiting_.size(); }
  bool contains(const std::string& key) const { return waiting_.contains(key); }
  /// Somebody makes it, for whoever joins later.
  void open(const std::string& key) { waiting_.try_emplace(key); }
  void join(const std::string& key, WaiterPtr waiter) { waiting_[key].push_back(std::move(waiter)); }

  /// Who waits for `key`; they do no longer. To be given the outcome by `answer`.
  std::vector<WaiterPtr> leave(const std::string& key) {
    const auto found = waiting_.find(key);
    if (found == waiting_.end()) return {};
    auto waiters = std::move(found->second);
    waiting_.erase(found);
    return waiters;
  }

  /// Wakes them on their executors. From any thread, unguarded.
  static void answer(std::vector<WaiterPtr> waiters, const Outcome& outcome) {
    for (auto& waiter : waiters) {
      const auto executor = waiter->timer_.get_executor();
      boost::asio::post(executor, [waiter = std::move(waiter), outcome] {
        waiter->outcome_ = outcome;
        waiter->timer_.cancel();
      });
    }
  }

 private:
  std::unordered_map<std::string, std::vector<WaiterPtr>> waiting_;
};

}  // namespace lookback::server
