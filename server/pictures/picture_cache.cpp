#include "server/pictures/picture_cache.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>
#include <vector>

#include "server/pictures/errc.hpp"

namespace lookback::server::pictures {

namespace asio = boost::asio;

namespace {

constexpr std::size_t entry_bytes = 512;  // of memory beside the picture itself

PictureCache::Outcome only_image(Result<Reply> reply) {
  if (!reply) return reply.error();
  if (reply->images.empty()) return Errc::no_picture;
  return make_slice(std::move(reply->images.front().bytes));
}

/// What may succeed the next time is not remembered.
bool is_lasting(const boost::system::error_code& error) {
  return error != Errc::skipped && error != Errc::shutting_down && error != Errc::cannot_start;
}

}  // namespace

asio::awaitable<PictureCache::Outcome> PictureCache::get(std::string key, Purpose purpose,
                                                         Workers::Prepare prepare) {
  std::function<void()> begin = [this, key, purpose, prepare = std::move(prepare)] {
    workers_.submit(purpose, prepare,
                    [this, key](Result<Reply> reply) { finish(key, only_image(std::move(reply))); });
  };
  return get_or(std::move(key), std::move(begin));
}

asio::awaitable<PictureCache::Outcome> PictureCache::get_or(std::string key, std::function<void()> begin) {
  const auto waiter = std::make_shared<Flight::Waiter>(co_await asio::this_coro::executor);
  bool first = false;
  if (auto known = find_or_wait(key, waiter, first)) co_return std::move(*known);
  if (first) begin();
  co_return co_await waiter->wait();
}

bool PictureCache::claim(const std::string& key) {
  bool first = false;
  const auto outcome = find_or_wait(key, nullptr, first);
  return first && !outcome;
}

std::optional<PictureCache::Outcome> PictureCache::known(const std::string& key) {
  if (const auto* found = kept_.find(key)) {
    ++hits_;
    return Outcome(*found);
  }
  const auto failed = failures_.find(key);
  if (failed == failures_.end()) return std::nullopt;
  if (Clock::now() < failed->second.until) return Outcome(failed->second.error);
  failures_.erase(failed);
  return std::nullopt;
}

std::optional<PictureCache::Outcome> PictureCache::find_or_wait(const std::string& key,
                                                                const Flight::WaiterPtr& waiter,
                                                                bool& first) {
  const std::lock_guard lock(mutex_);
  if (auto outcome = known(key)) return outcome;
  if (waiter && waiters_ >= workers_.options().max_waiting) return Outcome(Errc::skipped);
  first = !waiting_.contains(key);
  if (first && waiting_.size() >= max_jobs) {
    first = false;
    return Outcome(Errc::skipped);
  }
  if (waiter) {
    waiting_.join(key, waiter);
    ++waiters_;
  } else {
    waiting_.open(key);
  }
  return std::nullopt;
}

std::optional<Slice> PictureCache::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto outcome = known(key);
  if (!outcome || !*outcome) return std::nullopt;
  return **outcome;
}

void PictureCache::put(const std::string& key, Slice bytes) {
  const std::lock_guard lock(mutex_);
  keep(key, std::move(bytes));
}

void PictureCache::finish(const std::string& key, Outcome outcome) {
  std::vector<Flight::WaiterPtr> waiters;
  {
    const std::lock_guard lock(mutex_);
    if (outcome) {
      ++made_;
      keep(key, *outcome);
    } else if (is_lasting(outcome.error())) {
      remember_failure(key, outcome.error());
    }
    waiters = waiting_.leave(key);
    waiters_ -= waiters.size();
  }
  Flight::answer(std::move(waiters), outcome);
}

void PictureCache::keep(const std::string& key, Slice bytes) {
  const auto weight = bytes.size() + entry_bytes;
  kept_.put(key, std::move(bytes), weight);
}

void PictureCache::remember_failure(const std::string& key, boost::system::error_code error) {
  const auto now = Clock::now();
  if (failures_.size() >= max_failures)
    std::erase_if(failures_, [&](const auto& f) { return f.second.until <= now; });
  if (failures_.size() < max_failures) failures_[key] = {error, now + failure_time};
}

PictureCache::Counts PictureCache::counts() const {
  const std::lock_guard lock(mutex_);
  return {hits_, made_, kept_.weight()};
}

}  // namespace lookback::server::pictures
