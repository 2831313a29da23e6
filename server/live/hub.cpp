#include "server/live/hub.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>
#include <chrono>
#include <utility>

namespace lookback::server {

namespace asio = boost::asio;

namespace {

/// What nobody has asked for is picked up this often at the latest, so that no thread holds on to media that
/// every other has let go.
constexpr std::chrono::seconds idle_pick_up{1};

/// Counts a waiter, also when its coroutine is destroyed while it waits.
class Counted {
 public:
  explicit Counted(std::atomic<std::size_t>& count) : count_(count) { count_.fetch_add(1); }
  ~Counted() { count_.fetch_sub(1); }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

 private:
  std::atomic<std::size_t>& count_;
};

}  // namespace

asio::awaitable<void> Channel::changed(Waiter& waiter, std::chrono::steady_clock::time_point deadline) {
  assert(!waiter.parked());
  const Counted counted(waiting_);
  if (fresh_) {
    pick_up();
    co_return;
  }
  waiter.timer_.expires_at(deadline);
  waiters_.push_back(waiter);
  (void)co_await waiter.timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  if (waiter.parked()) waiter.unlink();
}

bool Channel::deliver(PresentationPtr presentation) {
  {
    const std::lock_guard lock(mutex_);
    delivered_.swap(presentation);
    fresh_ = true;
  }
  return waiting_ > 0 && !wake_posted_.exchange(true);
}

void Channel::pick_up() {
  if (!fresh_) return;
  PresentationPtr old = std::move(presentation_);
  const std::lock_guard lock(mutex_);
  presentation_ = std::move(delivered_);
  fresh_ = false;
}

void Channel::wake_all() {
  while (!waiters_.empty()) {
    auto& waiter = waiters_.front();
    waiters_.pop_front();
    waiter.wake();
  }
}

std::shared_ptr<Channel> Shard::find(std::string_view stream) {
  const auto found = channels_.find(stream);
  if (found == channels_.end()) return nullptr;
  found->second->pick_up();
  return found->second;
}

std::size_t Shard::waiting() const {
  std::size_t sum = 0;
  for (const auto& [stream, channel] : channels_) sum += channel->waiting();
  return sum;
}

void Shard::stop() {
  stopping_ = true;
  for (const auto& [stream, channel] : channels_) channel->wake_all();
}

void Shard::add(const std::string& stream, ChannelPtr channel) {
  channel->pick_up();
  channels_.insert_or_assign(stream, std::move(channel));
}

void Shard::remove(const std::string& stream, const ChannelPtr& channel) {
  channel->removed_ = true;
  channel->wake_all();
  const auto found = channels_.find(stream);
  if (found != channels_.end() && found->second == channel) channels_.erase(found);
}

void Shard::wake(Channel& channel) {
  channel.wake_posted_ = false;
  channel.pick_up();
  channel.wake_all();
}

void Shard::pick_up_all() {
  for (const auto& [stream, channel] : channels_) channel->pick_up();
}

/// A shard and what its thread has to do for it, in order. `tasks` and `posted` are guarded by `mutex`.
struct Hub::Thread {
  explicit Thread(asio::io_context& io) : context(io) {}

  void post(std::function<void(Shard&)> task) {
    const std::lock_guard lock(mutex);
    tasks.push_back(std::move(task));
    if (std::exchange(posted, true)) return;
    asio::post(context, [this] { run(); });
  }

  void run() {
    std::vector<std::function<void(Shard&)>> now;
    {
      const std::lock_guard lock(mutex);
      now.swap(tasks);
      posted = false;
    }
    for (const auto& task : now) task(shard);
  }

  /// True once per `idle_pick_up`.
  bool pick_up_is_due(std::chrono::steady_clock::time_point now) {
    const auto due = next_pick_up.load(std::memory_order_relaxed);
    if (now < due) return false;
    next_pick_up.store(now + idle_pick_up, std::memory_order_relaxed);
    return true;
  }

  asio::io_context& context;
  Shard shard;
  std::mutex mutex;
  std::vector<std::function<void(Shard&)>> tasks;
  bool posted = false;
  std::atomic<std::chrono::steady_clock::time_point> next_pick_up{};
};

Hub::Hub(std::vector<asio::io_context*> contexts) {
  for (auto* context : contexts) threads_.push_back(std::make_unique<Thread>(*context));
}

Hub::~Hub() = default;

Shard& Hub::shard(std::size_t thread) { return threads_[thread]->shard; }

const Hub::Channels& Hub::channels(const std::string& stream) {
  const auto [found, is_new] = streams_.try_emplace(stream);
  if (!is_new) return found->second;
  for (const auto& thread : threads_) {
    auto channel = std::make_shared<Channel>();
    found->second.push_back(channel);
    thread->post([stream, channel](Shard& shard) { shard.add(stream, channel); });
  }
  return found->second;
}

void Hub::announce(const std::string& stream) {
  const std::lock_guard lock(mutex_);
  channels(stream);
}

void Hub::publish(const std::string& stream, PresentationPtr presentation) {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(mutex_);
  const auto& all = channels(stream);
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    if (all[i]->deliver(presentation)) {
      threads_[i]->post([channel = all[i]](Shard& shard) { shard.wake(*channel); });
    } else if (threads_[i]->pick_up_is_due(now)) {
      threads_[i]->post([](Shard& shard) { shard.pick_up_all(); });
    }
  }
}

void Hub::remove(const std::string& stream) {
  const std::lock_guard lock(mutex_);
  const auto found = streams_.find(stream);
  if (found == streams_.end()) return;
  for (std::size_t i = 0; i < threads_.size(); ++i) {
    threads_[i]->post([stream, channel = found->second[i]](Shard& shard) { shard.remove(stream, channel); });
  }
  streams_.erase(found);
}

}  // namespace lookback::server
