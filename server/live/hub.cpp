#include "server/live/hub.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cassert>
#include <utility>

namespace lookback::server {

namespace asio = boost::asio;

asio::awaitable<void> Channel::changed(Waiter& waiter, std::chrono::steady_clock::time_point deadline) {
  assert(!waiter.parked());
  waiter.timer_.expires_at(deadline);
  waiters_.push_back(waiter);
  (void)co_await waiter.timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  if (waiter.parked()) waiter.unlink();
}

void Channel::wake_all() {
  while (!waiters_.empty()) {
    auto& waiter = waiters_.front();
    waiters_.pop_front();
    waiter.wake();
  }
}

std::shared_ptr<Channel> Shard::find(std::string_view stream) const {
  const auto found = channels_.find(stream);
  return found == channels_.end() ? nullptr : found->second;
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

void Shard::apply(StringMap<Change> changes) {
  for (auto& [stream, change] : changes) apply(stream, std::move(change));
}

void Shard::apply(const std::string& stream, Change change) {
  auto found = channels_.find(stream);
  if (change.removed && found != channels_.end()) {
    found->second->removed_ = true;
    found->second->wake_all();
    channels_.erase(found);
    found = channels_.end();
  }
  if (!change.exists) return;
  if (found == channels_.end()) found = channels_.emplace(stream, std::make_shared<Channel>()).first;
  if (!change.presentation) return;
  found->second->presentation_ = std::move(change.presentation);
  found->second->wake_all();
}

/// A shard and what waits to be applied to it. `pending` and `posted` are guarded by `mutex`.
struct Hub::Thread {
  explicit Thread(asio::io_context& io) : context(io) {}

  void drain() {
    StringMap<Shard::Change> changes;
    {
      const std::lock_guard lock(mutex);
      changes.swap(pending);
      posted = false;
    }
    shard.apply(std::move(changes));
  }

  asio::io_context& context;
  Shard shard;
  std::mutex mutex;
  StringMap<Shard::Change> pending;
  bool posted = false;
};

Hub::Hub(std::vector<asio::io_context*> contexts) {
  for (auto* context : contexts) threads_.push_back(std::make_unique<Thread>(*context));
}

Hub::~Hub() = default;

Shard& Hub::shard(std::size_t thread) { return threads_[thread]->shard; }

void Hub::change(const std::string& stream, const std::function<void(Shard::Change&)>& merge) {
  for (const auto& thread : threads_) {
    const std::lock_guard lock(thread->mutex);
    merge(thread->pending[stream]);
    if (std::exchange(thread->posted, true)) continue;
    asio::post(thread->context, [target = thread.get()] { target->drain(); });
  }
}

void Hub::announce(const std::string& stream) {
  change(stream, [](Shard::Change& pending) { pending.exists = true; });
}

void Hub::publish(const std::string& stream, PresentationPtr presentation) {
  change(stream, [&](Shard::Change& pending) {
    pending.exists = true;
    pending.presentation = presentation;
  });
}

void Hub::remove(const std::string& stream) {
  change(stream, [](Shard::Change& pending) {
    pending.removed = true;
    pending.exists = false;
    pending.presentation = nullptr;
  });
}

}  // namespace lookback::server
