#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/pictures/workers.hpp"

namespace lookback::server::pictures {

/// Finished pictures by name, each made once however many ask for it at the same time. The one longest unused
/// goes first; a failure is remembered for some seconds, so that a picture that kills its worker does not do
/// so for everybody who asks. Thread-safe; `workers` outlives it.
class PictureCache {
 public:
  /// The bytes of one picture, as they are sent.
  using Outcome = Result<Slice>;

  static constexpr std::size_t max_jobs = 1'024;           ///< that are waited for at the same time
  static constexpr std::size_t max_failures = 1'024;       ///< that are remembered
  static constexpr std::chrono::seconds failure_time{10};  ///< for which they are

  PictureCache(std::size_t max_bytes, Workers& workers) : max_bytes_(max_bytes), workers_(workers) {}

  const Options& options() const { return workers_.options(); }

  /// The picture of `key`, from memory or by a job with one output. Errors: those of the job; skipped when
  /// too many others are waited for.
  boost::asio::awaitable<Outcome> get(std::string key, Purpose purpose, Workers::Prepare prepare);
  /// From memory.
  std::optional<Slice> find(const std::string& key);
  /// Keeps what was made otherwise.
  void put(const std::string& key, Slice bytes);

  struct Counts {
    std::uint64_t hits = 0, made = 0, bytes = 0;
  };
  Counts counts() const;

 private:
  using Clock = std::chrono::steady_clock;
  /// A request that waits. Belongs to its network thread.
  struct Waiter {
    explicit Waiter(boost::asio::any_io_executor executor)
        : timer(std::move(executor), boost::asio::steady_timer::time_point::max()) {}
    boost::asio::steady_timer timer;  ///< cancelled when the outcome is there
    std::optional<Outcome> outcome;
  };
  struct Kept {
    std::string key;
    Slice bytes;
  };
  struct Failure {
    boost::system::error_code error;
    Clock::time_point until;
  };

  std::optional<Outcome> find_or_wait(const std::string& key, const std::shared_ptr<Waiter>& waiter,
                                      bool& first);
  std::optional<Outcome> known(const std::string& key);
  void finish(const std::string& key, Outcome outcome);
  void keep(const std::string& key, Slice bytes);
  void remember_failure(const std::string& key, boost::system::error_code error);

  const std::size_t max_bytes_;
  Workers& workers_;
  mutable std::mutex mutex_;  ///< guards what follows
  std::list<Kept> by_use_;    ///< newest first
  std::unordered_map<std::string, std::list<Kept>::iterator> by_key_;
  std::unordered_map<std::string, std::vector<std::shared_ptr<Waiter>>> waiting_;
  std::unordered_map<std::string, Failure> failures_;
  Counts counts_;
};

}  // namespace lookback::server::pictures
