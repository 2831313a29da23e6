#include "server/http/connection.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <exception>
#include <utility>

namespace lookback::server::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t max_linger_bytes = 256u << 10;
constexpr std::chrono::milliseconds linger_timeout{2'000};

/// Why a request was refused before it was routed.
std::string_view refusal_detail(unsigned status) {
  switch (status) {
    case 408:
      return "the request did not come to its end within http.header_timeout; send it faster";
    case 413:
      return "the body is longer than http.max_body, or than 16 KiB where none is needed; send less";
    case 414:
      return "the request-target is longer than http.max_target_bytes; shorten it";
    case 431:
      return "the header is longer than http.max_header_bytes; send fewer or shorter fields";
    case 505:
      return "this server speaks HTTP/1.1 and HTTP/1.0";
    default:
      return "the request is not well formed (RFC 9112); send it as the standard says";
  }
}

void log_failure(const std::exception_ptr& failure) {
  if (!failure) return;
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    spdlog::error("http: connection ended by an exception: {}", e.what());
  }
}

}  // namespace

Connection::Connection(std::shared_ptr<Worker> worker, tcp::socket socket)
    : worker_(std::move(worker)),
      socket_(std::move(socket)),
      buffer_(first_buffer_bytes),
      scanner_(worker_->options().max_header_bytes, worker_->options().max_target_bytes),
      exchange_(worker_->context(), worker_->options(), worker_->site(), worker_->shard(), worker_->counters,
                worker_->kept, *this) {}

Connection::~Connection() {
  ConnectionHook::unlink();
  worker_->removed();
}

void Connection::start() {
  error_code ec;
  socket_.set_option(tcp::no_delay(true), ec);
  if (!ec) socket_.native_non_blocking(true, ec);
  if (ec) return;  // the client has gone already
  auto self = shared_from_this();
  asio::co_spawn(
      worker_->context(), [self]() { return self->run(); }, log_failure);
}

void Connection::enter(Phase phase, std::chrono::milliseconds timeout) {
  phase_ = phase;
  deadline_ = Clock::now() + timeout;
}

/// A route bounds its own waits.
void Connection::enter_routing() {
  phase_ = Phase::routing;
  deadline_ = Clock::time_point::max();
}

void Connection::expire() {
  deadline_ = Clock::time_point::max();
  worker_->counters.timeouts.add();
  if (phase_ == Phase::head || phase_ == Phase::body) {
    timed_out_ = true;
    error_code ignored;
    socket_.cancel(ignored);
  } else if (phase_ == Phase::idle) {
    error_code ignored;
    socket_.close(ignored);
  } else {
    cut();
  }
}

void Connection::drain() {
  error_code ignored;
  if (phase_ == Phase::idle && filled_ == 0) socket_.close(ignored);
}

void Connection::cut() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

void Connection::watch() {
  if (watching_ || left_) return;
  watching_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const error_code& ec) {
    if (ec) return;
    self->watching_ = false;
    self->on_readable();
  });
}

/// The end of the stream, or the next request: that one waits in the kernel.
void Connection::on_readable() {
  if (phase_ != Phase::routing || !socket_.is_open()) return;
  char byte = 0;
  const auto count = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  const bool nothing_yet = count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  if (nothing_yet) return watch();
  if (count > 0) return;
  left_ = true;
  exchange_.waiter.wake();
}

void Connection::unwatch() {
  if (!std::exchange(watching_, false)) return;
  error_code ignored;
  socket_.cancel(ignored);
}

asio::awaitable<void> Connection::run() {
  for (bool keep = true; keep;) {
    auto read = begin_request();
    while (read == Read::more) {
      const auto [ec, count] = co_await socket_.async_read_some(room(), asio::as_tuple(asio::use_awaitable));
      filled_ += count;
      if (!ec) {
        read = scan_head();
      } else {
        read = timed_out_ ? refuse(408) : Read::closed;
      }
    }
    if (read == Read::body) read = co_await read_body();
    if (read == Read::closed) break;
    keep = read == Read::ready && exchange_.request.keep_alive && !exchange_.request.expects_continue;
    if (const auto next = answer(read); next != Next::send) co_await finish_routing(next);
    if (exchange_.response.status == 0) break;
    keep = keep && !worker_->stopping();
    const auto step = begin_send(!keep);
    bool whole = step == Transmission::Step::done;
    if (!whole) whole = co_await send_rest(step);
    end_send();
    if (!whole) break;
    if (!keep && socket_.is_open()) co_await linger();
  }
  error_code ignored;
  socket_.close(ignored);
}

Next Connection::answer(Read read) {
  const auto& request = exchange_.request;
  const bool reads = request.method == Method::get || request.method == Method::head;
  if (read == Read::refused) {
    exchange_.answer(refusal_, refusal_detail(refusal_));
  } else if (request.method == Method::options) {
    exchange_.response = preflight(request.is_api());
  } else if (!reads && !request.takes_body()) {
    exchange_.answer(405, "only GET, HEAD and OPTIONS are answered here");
  } else if (take_target()) {
    enter_routing();
    return route(exchange_);
  }
  return Next::send;
}

asio::awaitable<void> Connection::finish_routing(Next next) {
  while (next == Next::wait) {
    const bool changed = co_await exchange_.wait();
    next = changed ? route_again(exchange_) : Next::send;
  }
  if (next == Next::run) co_await exchange_.rest(exchange_);
  unwatch();
}

bool Connection::is_loopback() const {
  error_code ec;
  const auto address = socket_.remote_endpoint(ec).address();
  if (ec) return false;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback();
  }
  return address.is_loopback();
}

/// False: the target is refused, and the answer is made.
bool Connection::take_target() {
  auto target = parse_target(exchange_.request.target, worker_->options().max_query_bytes);
  if (target) {
    exchange_.target = std::move(*target);
    return true;
  }
  if (target.error() == TargetErrc::no_such_path) {
    exchange_.answer(404, "nothing has this path");
  } else if (target.error() == TargetErrc::query_too_long) {
    exchange_.answer(400, "the query is longer than http.max_query_bytes; shorten it");
  } else {
    exchange_.answer(400, "the request-target breaks RFC 3986; percent-encode what it does not allow");
  }
  return false;
}

/// Sends what goes at once of the response.
Transmission::Step Connection::begin_send(bool close) {
  auto& response = exchange_.response;
  finish_response(exchange_.request, response);
  format_head(response, close, worker_->date_line(), head_);
  if (exchange_.request.method == Method::head) response.body = std::monostate{};
  worker_->counters.responses[response.status / 100].add();
  transmission_.start(head_, std::move(response.body));
  if (!socket_.is_open()) return Transmission::Step::failed;
  return transmission_.advance(socket_.native_handle());
}

void Connection::end_send() {
  worker_->counters.bytes_sent.add(transmission_.sent());
  transmission_.clear();
}

/// False: the connection cannot go on.
asio::awaitable<bool> Connection::send_rest(Transmission::Step step) {
  using Step = Transmission::Step;
  while (step != Step::done) {
    enter(Phase::writing, worker_->options().write_timeout);
    if (step == Step::failed) co_return false;
    if (step == Step::damaged) {
      report_damage();
      cut();
      co_return false;
    }
    if (step == Step::blocked) {
      const auto [ec] =
          co_await socket_.async_wait(tcp::socket::wait_write, asio::as_tuple(asio::use_awaitable));
      if (ec) co_return false;
    } else if (step == Step::pause) {
      co_await asio::post(worker_->context(), asio::use_awaitable);
    } else {
      co_await prefetch();
    }
    if (!socket_.is_open()) co_return false;
    step = transmission_.advance(socket_.native_handle());
  }
  co_return true;
}

asio::awaitable<void> Connection::prefetch() {
  auto read = [this]() -> asio::awaitable<void> {
    transmission_.prefetch();
    co_return;
  };
  co_await asio::co_spawn(worker_->site().blocking.get_executor(), std::move(read), asio::use_awaitable);
  transmission_.prefetched();
}

void Connection::report_damage() {
  worker_->counters.read_errors.add();
  if (!worker_->may_log()) return;
  spdlog::error("http: {} cut after {} bytes: stored media is shorter than its record, or cannot be read",
                exchange_.target.path(), transmission_.sent());
}

/// Says goodbye so that the client reads the last answer: closing a socket with unread bytes would take it
/// back (RFC 9112 9.6).
asio::awaitable<void> Connection::linger() {
  enter(Phase::lingering, linger_timeout);
  error_code ec;
  socket_.shutdown(tcp::socket::shutdown_send, ec);
  for (std::size_t dropped = 0; !ec && dropped < max_linger_bytes;) {
    filled_ = 0;
    if (!co_await fill()) break;
    dropped += filled_;
  }
}

}  // namespace lookback::server::http
