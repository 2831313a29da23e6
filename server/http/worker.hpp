#pragma once
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <memory>

#include "server/http/counters.hpp"
#include "server/http/date.hpp"
#include "server/http/exchange.hpp"
#include "server/http/options.hpp"
#include "server/http/site.hpp"

namespace lookback::server::http {

/// What all network threads of a server share. Immutable but for the counter.
struct Shared {
  Shared(Options o, Site s) : options(std::move(o)), site(std::move(s)) {}

  const Options options;
  const Site site;
  std::atomic<std::size_t> connections{0};  ///< open, all threads together
};

class Connection;
using ConnectionHook =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One network thread's share of the server: its listening socket, its connections and their deadlines. All
/// members but the constructor run on that thread; `counters` may be read anywhere.
class Worker : public std::enable_shared_from_this<Worker> {
 public:
  Worker(boost::asio::io_context& context, boost::asio::ip::tcp::acceptor acceptor, Shard& shard,
         std::shared_ptr<Shared> shared);

  /// Spawns the loops; may be called before the thread runs.
  void start();
  /// First call: no new connections, parked requests are answered, idle connections closed, the rest has
  /// `drain_timeout`. Second call: everything is cut.
  void stop();

  bool stopping() const { return stopping_; }
  const Options& options() const { return shared_->options; }
  const Site& site() const { return shared_->site; }
  boost::asio::io_context& context() { return context_; }
  Shard& shard() { return shard_; }
  std::string_view date_line() { return date_.at(std::chrono::system_clock::now()); }

  /// Whether a line of this kind may be logged now: at most one per second and thread.
  bool may_log();

  void add(Connection& connection);
  /// Called by a connection that has taken itself off the list.
  void removed();

  Counters counters;
  KeptAnswers kept;

 private:
  boost::asio::awaitable<void> accept_loop();
  boost::asio::awaitable<void> sweep_loop();
  void admit(boost::asio::ip::tcp::socket socket);
  void cut_all();

  boost::asio::io_context& context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer accept_pause_, sweep_;
  Shard& shard_;
  std::shared_ptr<Shared> shared_;
  boost::intrusive::list<Connection, boost::intrusive::base_hook<ConnectionHook>,
                         boost::intrusive::constant_time_size<false>>
      connections_;
  DateLine date_;
  bool stopping_ = false;
  Clock::time_point drain_deadline_ = Clock::time_point::max();
  Clock::time_point last_log_{};
};

}  // namespace lookback::server::http
