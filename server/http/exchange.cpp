#include "server/http/exchange.hpp"

namespace lookback::server::http {
namespace {

/// The answer when what was awaited has not come in time.
Response late(Awaited what) {
  switch (what) {
    case Awaited::reload:  // rfc8216bis 6.2.5.2
      return problem(503, "nothing new came for three target durations; ask again");
    case Awaited::hinted_part:
      return problem(404, "the hinted part did not come");
    case Awaited::first_segment:
    case Awaited::nothing:
      break;
  }
  return problem(404, "the stream has no media yet");
}

}  // namespace

void Exchange::clear() {
  request.clear();
  response.clear();
  channel.reset();
  name.reset();
  known.reset();
  awaited = Awaited::nothing;
}

Next Exchange::wait_for(Awaited what, Clock::duration limit) {
  if (awaited != what) deadline = Clock::now() + limit;
  awaited = what;
  return Next::wait;
}

/// True: there is an answer instead.
bool Exchange::refuse_to_wait() {
  if (shard.stopping()) {
    answer(503, "the server is going down; ask again");
  } else if (peer.left()) {
    response.status = 0;
  } else if (Clock::now() >= deadline) {
    response = late(awaited);
  } else if (counters.waiting.value() >= options.max_waiting) {
    answer(503, "http.max_waiting requests wait already; ask again");
  } else {
    return false;
  }
  return true;
}

boost::asio::awaitable<bool> Exchange::wait() {
  if (refuse_to_wait()) co_return false;
  peer.watch();
  counters.waiting.add();
  co_await channel->changed(waiter, deadline);
  counters.waiting.sub();
  if (peer.left()) response.status = 0;
  co_return !peer.left();
}

}  // namespace lookback::server::http
