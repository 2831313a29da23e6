#pragma once
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "packager/hls/presentation.hpp"

/// What the network threads know of the streams. Each thread has its own replica (`Shard`) with a `Channel`
/// for each stream. A publication is put down at the channel of every thread; where requests wait for it, one
/// task is posted that wakes them all; elsewhere the next request picks it up, and no thread is woken in
/// vain: of 200 streams, most have no viewer on most threads. Publications that come faster than a thread
/// runs are merged.
namespace lookback::server {

using PresentationPtr = std::shared_ptr<const packager::hls::Presentation>;

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <class T>
using StringMap = std::unordered_map<std::string, T, StringHash, std::equal_to<>>;

/// A place to park one coroutine. Reusable, so that a connection needs one for its whole life. Belongs to its
/// network thread.
class Waiter
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  explicit Waiter(boost::asio::io_context& context) : timer_(context) {}

  /// Ends the wait early, for instance because the client left. No effect when nobody waits.
  void wake() { timer_.cancel(); }
  bool parked() const { return is_linked(); }

 private:
  friend class Channel;
  boost::asio::steady_timer timer_;
};

/// One stream on one network thread. Belongs to that thread, but for what `deliver` uses.
class Channel {
 public:
  /// The newest that `Shard::find` or a wake-up has picked up. Null: the stream exists, but has no first
  /// segment yet, or is not loaded from the store yet.
  const PresentationPtr& presentation() const { return presentation_; }
  /// The stream has been deleted: nothing more will be published here.
  bool removed() const { return removed_; }

  /// Parks the calling coroutine (which must run on this thread, and must hold both the channel and
  /// `waiter`) until the next publication, the removal, the deadline or `waiter.wake()`, whichever comes
  /// first. The caller tests its own condition before and after: what is published in between ends the wait
  /// at once, and a wake-up that was on its way for something seen already may end it for nothing.
  boost::asio::awaitable<void> changed(Waiter& waiter, std::chrono::steady_clock::time_point deadline);
  std::size_t waiting() const { return waiting_.load(std::memory_order_relaxed); }

 private:
  friend class Hub;
  friend class Shard;
  /// Puts the newest presentation down. True: somebody waits for it, and no task is on its way yet: post
  /// one. Thread-safe.
  bool deliver(PresentationPtr presentation);
  void pick_up();
  void wake_all();

  using Waiters = boost::intrusive::list<Waiter, boost::intrusive::constant_time_size<false>>;
  PresentationPtr presentation_;
  bool removed_ = false;
  Waiters waiters_;

  // `waiting_` is raised before `fresh_` is looked at, and `fresh_` before `waiting_` (all sequentially
  // consistent): either the waiter sees the publication or the publisher sees the waiter.
  std::atomic<std::size_t> waiting_{0};
  std::atomic<bool> fresh_{false};  ///< `delivered_` has not been picked up
  std::atomic<bool> wake_posted_{false};
  std::mutex mutex_;  ///< guards delivered_
  PresentationPtr delivered_;
};

/// The replica of one network thread. Belongs to that thread.
class Shard {
 public:
  /// The channel, with the newest presentation. Null: no such stream. Stays valid while the caller holds it.
  std::shared_ptr<Channel> find(std::string_view stream);
  /// Requests parked on this thread; walks all channels.
  std::size_t waiting() const;
  /// At shut-down: wakes every waiter and lets `stopping()` say why.
  void stop();
  bool stopping() const { return stopping_; }

 private:
  friend class Hub;
  using ChannelPtr = std::shared_ptr<Channel>;
  void add(const std::string& stream, ChannelPtr channel);
  void remove(const std::string& stream, const ChannelPtr& channel);
  void wake(Channel& channel);
  void pick_up_all();

  StringMap<ChannelPtr> channels_;
  bool stopping_ = false;
};

/// The shards of all threads. Thread-safe. Must outlive the run of every context.
class Hub {
 public:
  explicit Hub(std::vector<boost::asio::io_context*> contexts);
  ~Hub();
  std::size_t threads() const { return threads_.size(); }
  Shard& shard(std::size_t thread);

  /// Called when a request meets a channel without a presentation; set once, before the threads run.
  /// Thread-safe callee that must not block.
  std::function<void(const std::string& stream)> on_miss;

  /// The stream exists; what it presents comes later.
  void announce(const std::string& stream);
  void publish(const std::string& stream, PresentationPtr presentation);
  /// Requests that wait are woken and find the stream gone.
  void remove(const std::string& stream);

 private:
  struct Thread;
  using Channels = std::vector<std::shared_ptr<Channel>>;  ///< one per thread
  const Channels& channels(const std::string& stream);     ///< with mutex_ held

  std::vector<std::unique_ptr<Thread>> threads_;
  std::mutex mutex_;  ///< guards what follows
  StringMap<Channels> streams_;
};

}  // namespace lookback::server
