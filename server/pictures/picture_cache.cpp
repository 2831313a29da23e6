#include "server/pictures/picture_cache.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

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
  const auto waiter = std::make_shared<Waiter>(co_await asio::this_coro::executor);
  bool first = false;
  waiter->outcome = find_or_wait(key, waiter, first);
  if (first) {
    Workers::Done done = [this, key](Result<Reply> reply) { finish(key, only_image(std::move(reply))); };
    workers_.submit(purpose, std::move(prepare), std::move(done));
  }
  while (!waiter->outcome) (void)co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return std::move(*waiter->outcome);
}

std::optional<PictureCache::Outcome> PictureCache::known(const std::string& key) {
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    ++counts_.hits;
    return Outcome(by_use_.front().bytes);
  }
  const auto failed = failures_.find(key);
  if (failed == failures_.end()) return std::nullopt;
  if (Clock::now() < failed->second.until) return Outcome(failed->second.error);
  failures_.erase(failed);
  return std::nullopt;
}

std::optional<PictureCache::Outcome> PictureCache::find_or_wait(const std::string& key,
                                                                const std::shared_ptr<Waiter>& waiter,
                                                                bool& first) {
  const std::lock_guard lock(mutex_);
  if (auto outcome = known(key)) return outcome;
  first = !waiting_.contains(key);
  if (first && waiting_.size() >= max_jobs) {
    first = false;
    return Outcome(Errc::skipped);
  }
  waiting_[key].push_back(waiter);
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
  std::vector<std::shared_ptr<Waiter>> waiters;
  {
    const std::lock_guard lock(mutex_);
    if (outcome) {
      ++counts_.made;
      keep(key, *outcome);
    } else if (is_lasting(outcome.error())) {
      remember_failure(key, outcome.error());
    }
    const auto found = waiting_.find(key);
    waiters = std::move(found->second);
    waiting_.erase(found);
  }
  for (auto& waiter : waiters) {
    const auto executor = waiter->timer.get_executor();
    asio::post(executor, [waiter = std::move(waiter), outcome] {
      waiter->outcome = outcome;
      waiter->timer.cancel();
    });
  }
}

void PictureCache::keep(const std::string& key, Slice bytes) {
  const auto size = bytes.size() + entry_bytes;
  if (size > max_bytes_ || by_key_.contains(key)) return;
  counts_.bytes += size;
  by_use_.push_front({key, std::move(bytes)});
  by_key_[key] = by_use_.begin();
  while (counts_.bytes > max_bytes_) {
    counts_.bytes -= by_use_.back().bytes.size() + entry_bytes;
    by_key_.erase(by_use_.back().key);
    by_use_.pop_back();
  }
}

void PictureCache::remember_failure(const std::string& key, boost::system::error_code error) {
  const auto now = Clock::now();
  if (failures_.size() >= max_failures)
    std::erase_if(failures_, [&](const auto& f) { return f.second.until <= now; });
  if (failures_.size() < max_failures) failures_[key] = {error, now + failure_time};
}

PictureCache::Counts PictureCache::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace lookback::server::pictures
