// How a connection reads a request: head, then body.
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstring>
#include <utility>

#include "server/http/connection.hpp"

namespace lookback::server::http {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t max_dropped_body_bytes = 16u << 10;  // of a request that has no use for one

}  // namespace

void Connection::consume(std::size_t bytes) {
  filled_ -= bytes;
  if (filled_ > 0) std::memmove(buffer_.data(), buffer_.data() + bytes, filled_);
}

Connection::Read Connection::refuse(unsigned status) {
  refusal_ = status;
  return Read::refused;
}

/// Reads more into the buffer, which must have room. False: the client has closed, or its time is up.
asio::awaitable<bool> Connection::fill() {
  const auto room = asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_);
  const auto [ec, count] = co_await socket_.async_read_some(room, asio::as_tuple(asio::use_awaitable));
  filled_ += count;
  co_return !ec;
}

/// Where the next bytes go.
asio::mutable_buffer Connection::room() {
  if (filled_ == buffer_.size()) {
    buffer_.resize(std::min(buffer_.size() * 2, worker_->options().max_header_bytes + 1));
  }
  return asio::buffer(buffer_.data() + filled_, buffer_.size() - filled_);
}

Connection::Read Connection::begin_request() {
  const auto& options = worker_->options();
  exchange_.clear();
  scanner_.reset();
  timed_out_ = false;
  if (filled_ == 0 && buffer_.size() > first_buffer_bytes) {
    buffer_.resize(first_buffer_bytes);
    buffer_.shrink_to_fit();
  }
  enter(Phase::idle, std::exchange(first_, false) ? options.header_timeout : options.idle_timeout);
  return scan_head();
}

/// Looks at what is in the buffer.
Connection::Read Connection::scan_head() {
  if (filled_ == 0) return worker_->stopping() ? Read::closed : Read::more;
  switch (scanner_.scan({buffer_.data(), filled_})) {
    case HeadScanner::State::complete:
      return parse_head();
    case HeadScanner::State::malformed:
      return refuse(400);
    case HeadScanner::State::too_long_target:
      return refuse(414);
    case HeadScanner::State::too_long:
      return refuse(431);
    case HeadScanner::State::incomplete:
      break;
  }
  if (phase_ != Phase::head) enter(Phase::head, worker_->options().header_timeout);
  return Read::more;
}

/// The head that `scanner_` has found.
asio::const_buffer Connection::head() const {
  return asio::buffer(buffer_.data() + scanner_.skipped(), scanner_.size() - scanner_.skipped());
}

Connection::Read Connection::parse_head() {
  RequestParser parser(exchange_.request, max_dropped_body_bytes, worker_->options().max_body_bytes);
  error_code ec;
  const auto parsed = parser.put(head(), ec);
  if (const auto status = RequestParser::refusal(ec); status != 0) return refuse(status);
  if (!parser.is_header_done() || parsed != head().size()) return refuse(400);
  // Where a body has no use, the answer comes at once, and ends the connection.
  const bool unwanted = exchange_.request.expects_continue && !exchange_.request.takes_body();
  if (!parser.is_done() && !unwanted) return Read::body;
  consume(scanner_.size());
  return Read::ready;
}

/// Tells a client that waits for it that its body is wanted (RFC 9110 10.1.1).
asio::awaitable<bool> Connection::invite_body() {
  constexpr std::string_view invitation = "HTTP/1.1 100 Continue\r\n\r\n";
  const auto bytes = asio::buffer(invitation);
  const auto [ec, count] = co_await asio::async_write(socket_, bytes, asio::as_tuple(asio::use_awaitable));
  co_return !ec;
}

/// Reads a body to its end, so that none of its bytes is ever taken for a request; the parser keeps what the
/// request wants of it.
asio::awaitable<Connection::Read> Connection::read_body() {
  if (phase_ != Phase::head) enter(Phase::head, worker_->options().header_timeout);
  phase_ = Phase::body;  // within the head's deadline
  const auto max_bytes = std::max(max_dropped_body_bytes, worker_->options().max_body_bytes);
  exchange_.request.clear();
  RequestParser parser(exchange_.request, max_dropped_body_bytes, worker_->options().max_body_bytes);
  error_code head_was_good;
  parser.put(head(), head_was_good);
  consume(scanner_.size());
  if (std::exchange(exchange_.request.expects_continue, false) && filled_ == 0) {
    const bool invited = co_await invite_body();
    if (!invited) co_return Read::closed;
  }
  std::size_t raw_bytes = 0;
  while (!parser.is_done()) {
    error_code ec;
    const auto taken = filled_ == 0 ? 0 : parser.put(asio::buffer(buffer_.data(), filled_), ec);
    if (const auto status = RequestParser::refusal(ec); status != 0) co_return refuse(status);
    consume(taken);
    raw_bytes += taken;
    if (raw_bytes > 2 * max_bytes) co_return refuse(413);
    if (parser.is_done() || (taken > 0 && filled_ > 0)) continue;
    if (filled_ == buffer_.size()) co_return refuse(400);  // a chunk's head or trailer of this length
    if (!co_await fill()) co_return timed_out_ ? refuse(408) : Read::closed;
  }
  co_return Read::ready;
}

}  // namespace lookback::server::http
