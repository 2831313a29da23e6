#include "server/http/worker.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "server/http/connection.hpp"

namespace lookback::server::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::milliseconds accept_retry{200};

/// Deadlines are met to a quarter of the shortest timeout, or to a second.
Clock::duration sweep_interval(const Options& options) {
  const auto shortest = std::min({options.header_timeout, options.idle_timeout, options.write_timeout});
  return std::clamp<Clock::duration>(shortest / 4, std::chrono::milliseconds(10), std::chrono::seconds(1));
}

/// No descriptor or memory for one more connection: it waits in the kernel's queue until others end.
bool exhausted(const error_code& ec) {
  return ec == asio::error::no_descriptors || ec == boost::system::errc::too_many_files_open_in_system ||
         ec == asio::error::no_buffer_space || ec == asio::error::no_memory;
}

}  // namespace

Worker::Worker(asio::io_context& context, asio::ip::tcp::acceptor acceptor, Shard& shard,
               std::shared_ptr<Shared> shared)
    : context_(context),
      acceptor_(std::move(acceptor)),
      accept_pause_(context),
      sweep_(context),
      shard_(shard),
      shared_(std::move(shared)) {}

void Worker::start() {
  auto self = shared_from_this();
  asio::co_spawn(
      context_, [self]() { return self->accept_loop(); }, asio::detached);
  asio::co_spawn(
      context_, [self]() { return self->sweep_loop(); }, asio::detached);
}

void Worker::stop() {
  if (stopping_) return cut_all();
  stopping_ = true;
  drain_deadline_ = Clock::now() + options().drain_timeout;
  error_code ignored;
  acceptor_.close(ignored);
  accept_pause_.cancel();
  shard_.stop();
  for (auto next = connections_.begin(); next != connections_.end();) {
    auto& connection = *next++;
    connection.drain();
  }
  sweep_.cancel();
}

void Worker::cut_all() {
  for (auto next = connections_.begin(); next != connections_.end();) {
    auto& connection = *next++;
    connection.cut();
  }
}

bool Worker::may_log() {
  const auto now = Clock::now();
  if (now - last_log_ < std::chrono::seconds(1)) return false;
  last_log_ = now;
  return true;
}

void Worker::add(Connection& connection) {
  connections_.push_back(connection);
  counters.connections.add();
}

void Worker::removed() {
  counters.connections.sub();
  shared_->connections.fetch_sub(1, std::memory_order_relaxed);
  if (stopping_ && connections_.empty()) sweep_.cancel();
}

asio::awaitable<void> Worker::accept_loop() {
  while (!stopping_) {
    auto [ec, socket] = co_await acceptor_.async_accept(context_, asio::as_tuple(asio::use_awaitable));
    if (stopping_) break;
    if (!ec) {
      admit(std::move(socket));
      continue;
    }
    if (!exhausted(ec)) continue;  // the client has gone again
    counters.accept_errors.add();
    if (may_log()) spdlog::error("http: no new connections for now: {}", ec.message());
    accept_pause_.expires_after(accept_retry);
    (void)co_await accept_pause_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
}

void Worker::admit(asio::ip::tcp::socket socket) {
  if (shared_->connections.fetch_add(1, std::memory_order_relaxed) >= options().max_connections) {
    shared_->connections.fetch_sub(1, std::memory_order_relaxed);
    counters.connections_refused.add();
    if (may_log())
      spdlog::warn("http: connection refused: http.max_connections = {}", options().max_connections);
    return;
  }
  counters.connections_accepted.add();
  const auto connection = std::make_shared<Connection>(shared_from_this(), std::move(socket));
  add(*connection);
  connection->start();
}

asio::awaitable<void> Worker::sweep_loop() {
  const auto interval = sweep_interval(options());
  while (!stopping_ || !connections_.empty()) {
    sweep_.expires_after(interval);
    (void)co_await sweep_.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto now = Clock::now();
    if (now >= drain_deadline_) cut_all();
    for (auto next = connections_.begin(); next != connections_.end();) {
      auto& connection = *next++;
      if (now >= connection.deadline()) connection.expire();
    }
  }
}

}  // namespace lookback::server::http
