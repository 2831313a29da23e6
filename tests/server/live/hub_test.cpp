#include "server/live/hub.hpp"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>
#include <thread>

#include "packager/hls/presentation_builder.hpp"

using namespace lookback;
using namespace lookback::server;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

PresentationPtr some_presentation() { return packager::hls::make_presentation("k3f9", {}); }

auto far_away() { return std::chrono::steady_clock::now() + 1h; }

/// Parks once; `woken` counts returns.
asio::awaitable<void> park(asio::io_context& context, std::shared_ptr<Channel> channel,
                           std::chrono::steady_clock::time_point deadline, int& woken) {
  Waiter waiter(context);
  co_await channel->changed(waiter, deadline);
  ++woken;
}

}  // namespace

TEST_CASE("a stream is unknown until it is announced and has nothing to show until it is published",
          "[hub]") {
  asio::io_context context;
  Hub hub({&context});
  CHECK(hub.shard(0).find("live/a") == nullptr);

  hub.announce("live/a");
  context.run();
  REQUIRE(hub.shard(0).find("live/a") != nullptr);
  CHECK(hub.shard(0).find("live/a")->presentation() == nullptr);

  const auto presentation = some_presentation();
  hub.publish("live/a", presentation);
  context.restart();
  context.run();
  CHECK(hub.shard(0).find("live/a")->presentation() == presentation);

  hub.announce("live/a");
  context.restart();
  context.run();
  CHECK(hub.shard(0).find("live/a")->presentation() == presentation);
}

TEST_CASE("every thread has its own replica of what is published", "[hub]") {
  asio::io_context one, two;
  Hub hub({&one, &two});
  const auto presentation = some_presentation();
  hub.publish("live/a", presentation);
  one.run();
  CHECK(hub.shard(0).find("live/a")->presentation() == presentation);
  CHECK(hub.shard(1).find("live/a") == nullptr);
  two.run();
  CHECK(hub.shard(1).find("live/a")->presentation() == presentation);
}

TEST_CASE("publications that come faster than a thread runs are one task, and the newest wins", "[hub]") {
  asio::io_context context;
  Hub hub({&context});
  PresentationPtr newest;
  for (int i = 0; i < 1000; ++i) hub.publish("live/a", newest = some_presentation());
  CHECK(context.run() == 1);
  CHECK(hub.shard(0).find("live/a")->presentation() == newest);
}

TEST_CASE("a thread where nobody waits is not woken, and its next request finds the newest", "[hub]") {
  asio::io_context context;
  Hub hub({&context});
  hub.publish("live/a", some_presentation());
  context.run();
  const auto newest = some_presentation();
  hub.publish("live/a", some_presentation());
  hub.publish("live/a", newest);
  context.restart();
  CHECK(context.poll() == 0);
  CHECK(hub.shard(0).find("live/a")->presentation() == newest);
}

TEST_CASE("what is published between a look and a wait ends the wait at once", "[hub]") {
  asio::io_context context;
  const auto work = asio::make_work_guard(context);
  Hub hub({&context});
  hub.publish("live/a", some_presentation());
  context.poll();
  const auto channel = hub.shard(0).find("live/a");
  const auto newest = some_presentation();
  hub.publish("live/a", newest);
  int woken = 0;
  asio::co_spawn(context, park(context, channel, far_away(), woken), asio::detached);
  context.poll();
  CHECK(woken == 1);
  CHECK(channel->presentation() == newest);
  CHECK(channel->waiting() == 0);
}

TEST_CASE("no wake-up is lost when a publisher and a waiter meet", "[hub]") {
  asio::io_context context;
  const auto work = asio::make_work_guard(context);
  Hub hub({&context});
  hub.announce("live/a");
  context.poll();
  constexpr int rounds = 20'000;
  std::atomic<int> seen = 0;
  std::atomic<bool> failed = false;
  const auto reader = [&]() -> asio::awaitable<void> {
    Waiter waiter(context);
    PresentationPtr last;
    while (seen < rounds && !failed) {
      const auto deadline = std::chrono::steady_clock::now() + 30s;
      const auto channel = hub.shard(0).find("live/a");
      // A wake-up on its way for what has been seen already ends a later wait early: one looks again.
      while (channel->presentation() == last && !failed) {
        co_await channel->changed(waiter, deadline);
        if (std::chrono::steady_clock::now() >= deadline) failed = true;
      }
      last = channel->presentation();
      ++seen;
    }
  };
  asio::co_spawn(context, reader(), asio::detached);
  std::thread thread([&] {
    while (seen < rounds && !failed) context.run_one_for(10ms);
  });
  // One publication for each look: a lost wake-up would stop both sides.
  for (int i = 0; i < rounds && !failed; ++i) {
    hub.publish("live/a", some_presentation());
    while (seen <= i && !failed) std::this_thread::yield();
  }
  thread.join();
  CHECK_FALSE(failed);
  CHECK(seen == rounds);
}

TEST_CASE("a publication wakes all who wait for the stream and nobody else", "[hub]") {
  asio::io_context context;
  const auto work = asio::make_work_guard(context);
  Hub hub({&context});
  hub.announce("live/a");
  hub.announce("live/b");
  context.poll();

  int woken_a = 0, woken_b = 0;
  for (int i = 0; i < 100; ++i) {
    asio::co_spawn(context, park(context, hub.shard(0).find("live/a"), far_away(), woken_a), asio::detached);
  }
  asio::co_spawn(context, park(context, hub.shard(0).find("live/b"), far_away(), woken_b), asio::detached);
  context.poll();
  CHECK(hub.shard(0).waiting() == 101);
  CHECK(woken_a == 0);

  hub.publish("live/a", some_presentation());
  context.poll();
  CHECK(woken_a == 100);
  CHECK(woken_b == 0);
  CHECK(hub.shard(0).waiting() == 1);
}

TEST_CASE("a wait ends at its deadline and leaves nothing behind", "[hub]") {
  asio::io_context context;
  const auto work = asio::make_work_guard(context);
  Hub hub({&context});
  hub.announce("live/a");
  context.poll();
  int woken = 0;
  asio::co_spawn(context,
                 park(context, hub.shard(0).find("live/a"), std::chrono::steady_clock::now() + 5ms, woken),
                 asio::detached);
  while (woken == 0) context.run_one();
  CHECK(woken == 1);
  CHECK(hub.shard(0).waiting() == 0);
}

TEST_CASE("a waiter can be woken alone", "[hub]") {
  asio::io_context context;
  const auto work = asio::make_work_guard(context);
  Hub hub({&context});
  hub.announce("live/a");
  context.poll();
  Waiter leaves(context), stays(context);
  int left = 0, stayed = 0;
  const auto wait = [&, channel = hub.shard(0).find("live/a")](Waiter& waiter,
                                                               int& woken) -> asio::awaitable<void> {
    co_await channel->changed(waiter, far_away());
    ++woken;
  };
  asio::co_spawn(context, wait(leaves, left), asio::detached);
  asio::co_spawn(context, wait(stays, stayed), asio::detached);
  context.poll();
  leaves.wake();
  context.poll();
  CHECK(left == 1);
  CHECK(stayed == 0);
  CHECK(hub.shard(0).waiting() == 1);
  stays.wake();
  context.poll();
  CHECK(stayed == 1);
}

TEST_CASE("a removed stream is gone at once, and those who wait learn it", "[hub]") {
  asio::io_context context;
  const auto work = asio::make_work_guard(context);
  Hub hub({&context});
  hub.publish("live/a", some_presentation());
  context.poll();
  const auto channel = hub.shard(0).find("live/a");
  int woken = 0;
  asio::co_spawn(context, park(context, channel, far_away(), woken), asio::detached);
  context.poll();

  hub.remove("live/a");
  context.poll();
  CHECK(woken == 1);
  CHECK(channel->removed());
  CHECK(hub.shard(0).find("live/a") == nullptr);
}

TEST_CASE("a stream that is removed and published again between two looks is a new channel", "[hub]") {
  asio::io_context context;
  const auto work = asio::make_work_guard(context);
  Hub hub({&context});
  hub.publish("live/a", some_presentation());
  context.poll();
  const auto old = hub.shard(0).find("live/a");
  const auto presentation = some_presentation();
  hub.remove("live/a");
  hub.publish("live/a", presentation);
  context.poll();
  CHECK(old->removed());
  REQUIRE(hub.shard(0).find("live/a") != old);
  CHECK(hub.shard(0).find("live/a")->presentation() == presentation);
}

TEST_CASE("stopping a shard wakes everyone and says why", "[hub]") {
  asio::io_context context;
  const auto work = asio::make_work_guard(context);
  Hub hub({&context});
  hub.announce("live/a");
  context.poll();
  int woken = 0;
  asio::co_spawn(context, park(context, hub.shard(0).find("live/a"), far_away(), woken), asio::detached);
  context.poll();
  hub.shard(0).stop();
  context.poll();
  CHECK(woken == 1);
  CHECK(hub.shard(0).stopping());
}
