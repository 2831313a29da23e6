#include "server/archive/mp4_cache.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
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
  const auto waiter = std::make_shared<Flight::Waiter>(co_await asio::this_coro::executor);
  if (auto known = find_or_wait(key, build, waiter)) co_return std::move(*known);
  co_return co_await waiter->wait();
}

std::optional<Mp4Cache::Outcome> Mp4Cache::find_or_wait(const std::string& key, const Build& build,
                                                        const Flight::WaiterPtr& waiter) {
  const std::lock_guard lock(mutex_);
  if (const auto* found = kept_.find(key)) return *found;
  const bool first = !waiting_.contains(key);
  if (first && waiting_.size() >= max_builds) return Outcome(store::Errc::queue_full);
  waiting_.join(key, waiter);
  if (first) asio::post(builder_, [this, key, build] { run(key, build); });
  return std::nullopt;
}

void Mp4Cache::run(const std::string& key, const Build& build) {
  const auto outcome = build_safely(build);
  std::vector<Flight::WaiterPtr> waiters;
  {
    const std::lock_guard lock(mutex_);
    ++built_;
    if (outcome) kept_.put(key, *outcome, footprint(*outcome));
    waiters = waiting_.leave(key);
  }
  Flight::answer(std::move(waiters), outcome);
}

void Mp4Cache::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  kept_.take(key);
}

std::size_t Mp4Cache::bytes() const {
  const std::lock_guard lock(mutex_);
  return kept_.weight();
}

std::uint64_t Mp4Cache::built() const {
  const std::lock_guard lock(mutex_);
  return built_;
}

}  // namespace lookback::server
