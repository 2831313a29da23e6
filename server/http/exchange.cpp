#include "server/http/exchange.hpp"

namespace lookback::server::http {

boost::asio::awaitable<Wake> Exchange::wait(std::shared_ptr<Channel> channel, Clock::time_point deadline) {
  if (shard.stopping()) co_return Wake::stopping;
  if (peer.left()) co_return Wake::left;
  if (Clock::now() >= deadline) co_return Wake::timed_out;
  if (counters.waiting.value() >= options.max_waiting) co_return Wake::crowded;
  peer.watch();
  counters.waiting.add();
  co_await channel->changed(waiter, deadline);
  counters.waiting.sub();
  co_return peer.left() ? Wake::left : Wake::changed;
}

void Exchange::answer(Wake wake, unsigned timed_out_status, std::string_view timed_out_detail) {
  switch (wake) {
    case Wake::changed:
    case Wake::timed_out:
      return answer(timed_out_status, timed_out_detail);
    case Wake::left:
      response.status = 0;
      return;
    case Wake::stopping:
      return answer(503, "the server is going down; ask again");
    case Wake::crowded:
      return answer(503, "http.max_waiting requests wait already; ask again");
  }
}

}  // namespace lookback::server::http
