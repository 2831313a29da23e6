#pragma once
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "server/ingest/srt/doorkeeper.hpp"
#include "server/ingest/srt/pull/options.hpp"
#include "server/ingest/srt/pull/status.hpp"
#include "server/ingest/srt/socket.hpp"

namespace lookback::server::srt {

/// Calls the remote listeners that the configuration names, again and again while it names them. A connection
/// that stands is given to the listener's thread, which treats it as that of any publisher. Names are
/// resolved on the blocking pool, one at a time. `set` and `statuses` may be called by any thread; all else,
/// and the destructor, belongs to the listener's thread.
class Puller {
 public:
  using Clock = std::chrono::steady_clock;
  /// Takes a connection that stands. False: it could not be taken.
  using OnConnected = std::function<bool(Socket, Guest)>;
  /// Ends the connection behind a socket; `disconnected` follows.
  using Cut = std::function<void(Socket::Id, const std::string& why)>;

  /// `poll`: of the listener's thread; sockets of calls that are not decided yet are watched there.
  Puller(std::shared_ptr<Common> common, boost::asio::thread_pool& blocking, int poll, OnConnected connected,
         Cut cut);
  ~Puller();

  /// What is to be pulled from now on. Those that go on are not touched.
  void set(std::vector<PullTarget> targets);
  std::vector<PullStatus> statuses() const;

  /// Something happened on a socket; false: it is none of these.
  bool ready(Socket::Id id);
  /// A connection that was given away has ended.
  void disconnected(Socket::Id id, bool had_bytes, const std::string& why);
  void tick(Clock::time_point now);
  /// Calls nobody any more.
  void stop();

 private:
  struct Pull;
  struct Inbox;
  using PullPtr = std::shared_ptr<Pull>;

  void take_wanted();
  void take_resolved();
  void resolve(const PullPtr& pull);
  void call(Pull& pull);
  void stand(Pull& pull);
  void fail(Pull& pull, const std::string& why);

  const std::shared_ptr<Common> common_;
  boost::asio::thread_pool& blocking_;
  const int poll_;
  const OnConnected connected_;
  const Cut cut_;
  const std::shared_ptr<Inbox> inbox_;  ///< shared with the pool
  bool resolving_ = false;
  std::vector<PullPtr> pulls_;  ///< changed under mutex_
  std::minstd_rand random_{std::random_device{}()};
  mutable std::mutex mutex_;                       ///< guards what follows, and pulls_ for other threads
  std::optional<std::vector<PullTarget>> wanted_;  ///< not taken over yet
};

}  // namespace lookback::server::srt
