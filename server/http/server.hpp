#pragma once
#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

#include "server/http/counters.hpp"
#include "server/http/options.hpp"
#include "server/http/site.hpp"
#include "store/base/result.hpp"

/// The path of a request: a connection reads its head (`HeadScanner`, then Beast's parser), `parse_target`
/// makes a `Target` of it, `route` finds the stream on this thread's shard and fills a `Response`, waiting on
/// the stream's `Channel` where the protocol says so, and a `Transmission` sends it. One io_context per
/// thread, and a connection never leaves its own.
namespace lookback::server::http {

class Worker;
struct Shared;

/// The HTTP/1.1 server. Thread-safe. Must outlive the run of every context, and be gone before the contexts
/// are.
class Server {
 public:
  /// Listens on `options.listen`, one socket per context, and spawns the loops; they run when the contexts
  /// do. Context i serves from `site.hub.shard(i)`. SIGPIPE is ignored from here on, as sendfile would raise
  /// it. Errors: invalid_argument (the address), and the system's, such as address_in_use.
  static Result<std::unique_ptr<Server>> open(std::vector<boost::asio::io_context*> contexts, Options options,
                                              Site site);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The port that is listened on.
  unsigned short port() const { return port_; }
  /// Drains: no new connections, idle ones closed, waiting requests answered; running responses have
  /// `drain_timeout`. Afterwards nothing of the server is left in the contexts. A second call cuts at once.
  void stop();
  CounterTotals counters() const;

 private:
  Server() = default;

  unsigned short port_ = 0;
  std::vector<boost::asio::io_context*> contexts_;
  std::vector<std::shared_ptr<Worker>> workers_;
};

}  // namespace lookback::server::http
