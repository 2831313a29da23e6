#pragma once
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "server/base/single_flight.hpp"
#include "server/pictures/workers.hpp"
#include "store/base/lru.hpp"

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

  PictureCache(std::size_t max_bytes, Workers& workers) : workers_(workers), kept_(max_bytes) {}

  const Options& options() const { return workers_.options(); }

  /// The picture of `key`, from memory or by a job with one output. Errors: those of the job; skipped when
  /// too many others are waited for, or too many wait (Options::max_waiting).
  boost::asio::awaitable<Outcome> get(std::string key, Purpose purpose, Workers::Prepare prepare);
  /// The same for what is made with others: `begin` is called when the picture is in nobody's hands, and sees
  /// to it that `finish` is called.
  boost::asio::awaitable<Outcome> get_or(std::string key, std::function<void()> begin);
  /// True: the picture is neither kept nor being made, nor known to fail; the caller makes it, and calls
  /// `finish`.
  bool claim(const std::string& key);
  /// What has become of it. Called once for each `begin` and each claim.
  void finish(const std::string& key, Outcome outcome);
  /// From memory.
  std::optional<Slice> find(const std::string& key);
  /// Keeps what was made otherwise.
  void put(const std::string& key, Slice bytes);

  struct Counts {
    std::uint64_t hits = 0, made = 0;
    std::uint64_t bytes = 0;  ///< kept now
  };
  Counts counts() const;

 private:
  using Clock = std::chrono::steady_clock;
  using Flight = SingleFlight<Outcome>;
  struct Failure {
    boost::system::error_code error;
    Clock::time_point until;
  };

  std::optional<Outcome> find_or_wait(const std::string& key, const Flight::WaiterPtr& waiter, bool& first);
  std::optional<Outcome> known(const std::string& key);
  void keep(const std::string& key, Slice bytes);
  void remember_failure(const std::string& key, boost::system::error_code error);

  Workers& workers_;
  mutable std::mutex mutex_;  ///< guards what follows
  Lru<std::string, Slice> kept_;
  Flight waiting_;
  std::size_t waiters_ = 0;  ///< in it
  std::unordered_map<std::string, Failure> failures_;
  std::uint64_t hits_ = 0, made_ = 0;
};

}  // namespace lookback::server::pictures
