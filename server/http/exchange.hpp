#pragma once
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <memory>

#include "server/http/counters.hpp"
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
};

enum class Wake {
  changed,
  timed_out,
  left,      ///< the client is gone: send nothing
  stopping,  ///< the server drains: answer at once
  crowded,   ///< too many requests wait on this thread
};

/// One request and its answer on the way through the routes. Lives in its connection and belongs to its
/// network thread.
struct Exchange {
  Exchange(boost::asio::io_context& context, const Options& o, const Site& s, Shard& sh, Counters& c, Peer& p)
      : options(o), site(s), shard(sh), counters(c), peer(p), waiter(context) {}

  /// Parks until the channel changes or the deadline. The caller tests its condition again after `changed`.
  boost::asio::awaitable<Wake> wait(std::shared_ptr<Channel> channel, Clock::time_point deadline);
  /// The answer when a wait ended for another reason than `changed`; `timed_out` is answered with `status`.
  void answer(Wake wake, unsigned timed_out_status, std::string_view timed_out_detail);
  void answer(unsigned status, std::string_view detail) { response = problem(status, detail); }

  const Options& options;
  const Site& site;
  Shard& shard;
  Counters& counters;
  Peer& peer;
  Waiter waiter;
  Request request;
  Target target;
  Response response;
};

}  // namespace lookback::server::http
