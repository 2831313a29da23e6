#pragma once
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "packager/hls/names.hpp"
#include "server/http/counters.hpp"
#include "server/http/kept_answers.hpp"
#include "server/http/options.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"
#include "server/http/site.hpp"
#include "server/http/target.hpp"

namespace lookback::server::http {

using Clock = std::chrono::steady_clock;

/// Who made the request, as far as a waiting route needs to know. Implemented by the connection.
class Peer {
 public:
  virtual ~Peer() = default;
  /// From here on `left()` turns true and the waiter is woken as soon as the client closes. Idempotent.
  virtual void watch() = 0;
  virtual bool left() const = 0;
  /// Whether it is on this machine, as far as its address tells.
  virtual bool is_loopback() const = 0;
};

/// What a route wants next.
enum class Next {
  send,  ///< `response` is the answer
  wait,  ///< `Exchange::wait`, then the same route again
  run,   ///< `Exchange::rest` makes the answer: it waits for a disk, a thread of the pool, or other requests
};

/// What a request may be parked for.
enum class Awaited { nothing, first_segment, reload, hinted_part };

/// One request and its answer on the way through the routes. Lives in its connection and belongs to its
/// network thread.
struct Exchange {
  Exchange(boost::asio::io_context& context, const Options& o, const Site& s, Shard& sh, Counters& c,
           KeptAnswers& k, Peer& p)
      : options(o), site(s), shard(sh), counters(c), kept(k), peer(p), waiter(context) {}

  /// Before the next request.
  void clear();
  void answer(unsigned status, std::string_view detail) { response = problem(status, detail); }

  /// For a route that goes on as a coroutine.
  using Rest = boost::asio::awaitable<void> (*)(Exchange&);
  Next run(Rest how) {
    rest = how;
    return Next::run;
  }
  /// For a route whose answer needs what is not published yet. The first such call of a request starts the
  /// time limit; when that has passed, the request is answered with what `awaited` asks for.
  Next wait_for(Awaited what, Clock::duration limit);
  /// Parks until `channel` changes. False: there is an answer already, as the time is up, the client has
  /// left, the server drains, or too many wait.
  boost::asio::awaitable<bool> wait();

  const Options& options;
  const Site& site;
  Shard& shard;
  Counters& counters;
  KeptAnswers& kept;
  Peer& peer;
  Waiter waiter;
  Request request;
  Target target;
  Response response;

  // Set by `route` for requests that belong to a stream.
  std::shared_ptr<Channel> channel;
  std::optional<packager::hls::Name> name;    ///< points into `target`; none: the multivariant playlist
  std::optional<store::SegmentRecord> known;  ///< the segment that `name` is about, where a playlist has it
  Rest rest = nullptr;
  Awaited awaited = Awaited::nothing;
  Clock::time_point deadline;  ///< of `awaited`

 private:
  bool refuse_to_wait();
};

}  // namespace lookback::server::http
