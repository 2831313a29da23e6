#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>
#include <vector>

#include "server/http/exchange.hpp"
#include "server/http/routes.hpp"
#include "server/http/transmission.hpp"
#include "server/http/worker.hpp"

namespace lookback::server::http {

/// One client over clear text: reads a request, has it routed, sends the answer, and so on. The next request
/// is not looked at before the answer has gone, so that a client that pipelines holds no more than one buffer
/// of requests here. What need not wait is plain function calls: of a request that comes in one piece, and
/// whose answer is there and fits into the socket, the coroutine only awaits the first byte. Belongs to its
/// network thread; kept alive by its coroutine.
class Connection : public ConnectionHook, public Peer, public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Worker> worker, boost::asio::ip::tcp::socket socket);
  ~Connection() override;

  void start();
  /// When `expire` is due; the worker looks every so often.
  Clock::time_point deadline() const { return deadline_; }
  /// A client that was too slow with its head is told so; everything else is cut.
  void expire();
  /// Shut-down: closes now when no request is under way, else after the answer.
  void drain();
  /// Ends at once; what the client has not read yet is lost.
  void cut();

  void watch() override;
  bool left() const override { return left_; }
  bool is_loopback() const override;

 private:
  enum class Phase { idle, head, body, routing, writing, lingering };
  enum class Read {
    more,  ///< the head is not complete
    body,  ///< the head is read and has a body behind it
    ready,
    refused,  ///< `refusal_` is the answer's status
    closed,
  };

  boost::asio::awaitable<void> run();
  boost::asio::awaitable<Read> read_body();
  boost::asio::awaitable<bool> invite_body();
  boost::asio::awaitable<bool> fill();
  boost::asio::awaitable<void> finish_routing(Next next);
  boost::asio::awaitable<bool> send_rest(Transmission::Step step);
  boost::asio::awaitable<void> prefetch();
  boost::asio::awaitable<void> linger();

  Read begin_request();
  Read scan_head();
  Read parse_head();
  boost::asio::const_buffer head() const;
  boost::asio::mutable_buffer room();
  Next answer(Read read);
  Transmission::Step begin_send(bool close);
  void end_send();
  void enter(Phase phase, std::chrono::milliseconds timeout);
  void enter_routing();
  void consume(std::size_t bytes);
  void unwatch();
  void on_readable();
  Read refuse(unsigned status);
  bool take_target();
  void report_damage();

  std::shared_ptr<Worker> worker_;
  boost::asio::ip::tcp::socket socket_;
  Phase phase_ = Phase::idle;
  Clock::time_point deadline_ = Clock::time_point::max();
  static constexpr std::size_t first_buffer_bytes = 2u << 10;
  std::vector<char> buffer_;
  std::size_t filled_ = 0;
  HeadScanner scanner_;
  Exchange exchange_;
  Transmission transmission_;
  std::string head_;
  unsigned refusal_ = 0;
  bool first_ = true, timed_out_ = false, watching_ = false, left_ = false;
};

}  // namespace lookback::server::http
