#include "server/archive/mp4_cache.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <utility>

namespace lookback::server {

namespace asio = boost::asio;

namespace {

std::size_t footprint(const Mp4Outcome& outcome) {
  return 512 + outcome.sections.size() * sizeof(packager::MovieRange) +
         (outcome.movie ? outcome.movie->footprint_bytes() : 0);
}

/// Out of memory costs one request, and not the process.
Result<Mp4Outcome> build_safely(const Mp4Cache::Build& build) {
  try {
    return build();
  } catch (const std::exception& e) {
    spdlog::error("mp4: not built: {}", e.what());
    return store::Errc::io_error;
  }
}

}  // namespace

asio::awaitable<Mp4Cache::Outcome> Mp4Cache::get(std::string key, Build build) {
  const auto waiter = std::make_shared<Waiter>(co_await asio::this_coro::executor);
  waiter->outcome = find_or_wait(key, build, waiter);
  while (!waiter->outcome) (void)co_await waiter->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  co_return std::move(*waiter->outcome);
}

std::optional<Mp4Cache::Outcome> Mp4Cache::find_or_wait(const std::string& key, const Build& build,
                                                        const std::shared_ptr<Waiter>& waiter) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return by_use_.front().outcome;
  }
  const bool first = !waiting_.contains(key);
  if (first && waiting_.size() >= max_builds) return Outcome(store::Errc::queue_full);
  waiting_[key].push_back(waiter);
  if (first) asio::post(builder_, [this, key, build] { run(key, build); });
  return std::nullopt;
}

void Mp4Cache::run(const std::string& key, const Build& build) {
  const auto outcome = build_safely(build);
  std::vector<std::shared_ptr<Waiter>> waiters;
  {
    const std::lock_guard lock(mutex_);
    ++built_;
    if (outcome) keep(key, *outcome);
    waiters = std::move(waiting_[key]);
    waiting_.erase(key);
  }
  for (auto& waiter : waiters) {
    const auto executor = waiter->timer.get_executor();
    asio::post(executor, [waiter = std::move(waiter), outcome] {
      waiter->outcome = outcome;
      waiter->timer.cancel();
    });
  }
}

void Mp4Cache::keep(const std::string& key, const Mp4Outcome& outcome) {
  const auto bytes = footprint(outcome);
  if (bytes > max_bytes_) return;
  by_use_.push_front({key, outcome, bytes});
  by_key_[key] = by_use_.begin();
  bytes_ += bytes;
  while (bytes_ > max_bytes_) {
    bytes_ -= by_use_.back().bytes;
    by_key_.erase(by_use_.back().key);
    by_use_.pop_back();
  }
}

void Mp4Cache::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return;
  bytes_ -= found->second->bytes;
  by_use_.erase(found->second);
  by_key_.erase(found);
}

std::size_t Mp4Cache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::uint64_t Mp4Cache::built() const {
  const std::lock_guard lock(mutex_);
  return built_;
}

}  // namespace lookback::server
