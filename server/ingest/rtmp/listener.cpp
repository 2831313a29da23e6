#include "server/ingest/rtmp/listener.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <unordered_set>

#include "server/acceptors.hpp"
#include "server/ingest/peer.hpp"
#include "server/ingest/rtmp/session.hpp"

namespace lookback::server::rtmp {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// A failed accept leaves the connection in the queue: without a pause the loop would spin.
constexpr std::chrono::milliseconds accept_pause{100};

std::string what(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown exception";
  }
}

}  // namespace

/// One thread's part of the listener: everything in it belongs to that thread. Coroutines of a context own
/// only its own lane, so that no context is left with another's Asio objects.
struct Listener::Lane : std::enable_shared_from_this<Lane> {
  Lane(tcp::acceptor socket, std::shared_ptr<Common> all)
      : acceptor(std::move(socket)), pause(acceptor.get_executor()), common(std::move(all)) {}

  asio::awaitable<void> accept_loop();
  void try_start(tcp::socket socket);
  void start(tcp::socket socket);
  void stop();
  void log(spdlog::level::level_enum level, const std::string& line);

  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::shared_ptr<Common> common;
  std::unordered_set<std::shared_ptr<Session>> sessions;
  bool stopping = false;
};

asio::awaitable<void> Listener::Lane::accept_loop() {
  while (!stopping) {
    auto [ec, socket] = co_await acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
    if (stopping) break;
    if (!ec) {
      try_start(std::move(socket));
    } else if (ec != asio::error::connection_aborted) {  // that one has only left while it waited
      log(spdlog::level::err, "cannot accept: " + ec.message());
      pause.expires_after(accept_pause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    }
  }
}

/// A lack of memory costs this connection, not the loop.
void Listener::Lane::try_start(tcp::socket socket) try {
  start(std::move(socket));
} catch (const std::exception& e) {
  log(spdlog::level::err, std::string("connection cut: ") + e.what());
}

void Listener::Lane::start(tcp::socket socket) {
  error_code ec;
  const auto peer = socket.remote_endpoint(ec);
  if (ec) return;  // left already
  const auto address = plain_address(peer.address());
  auto ticket = common->admissions->admit(address);
  if (!ticket) return log(spdlog::level::warn, address.to_string() + " refused: too many connections");
  socket.set_option(tcp::no_delay(true), ec);
  auto session = make_session(std::move(socket), peer, common, std::move(*ticket));
  sessions.insert(session);
  auto run = [session] { return session->run(); };
  asio::co_spawn(acceptor.get_executor(), std::move(run),
                 [lane = shared_from_this(), session](const std::exception_ptr& thrown) {
                   if (thrown) session->abandon(what(thrown));
                   lane->sessions.erase(session);
                 });
}

void Listener::Lane::stop() {
  stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  for (const auto& session : sessions) session->end(Errc::shutting_down, "the server is stopping");
}

void Listener::Lane::log(spdlog::level::level_enum level, const std::string& line) {
  const auto held_back = common->log_gate.pass(LogGate::Clock::now());
  if (!held_back) return;
  spdlog::log(level, "{}: {}{}", common->protocol(), line,
              *held_back == 0 ? "" : fmt::format(" ({} more such lines held back)", *held_back));
}

Result<std::unique_ptr<Listener>> Listener::open(const std::vector<asio::io_context*>& contexts,
                                                 Options options, Ingest& ingest,
                                                 std::shared_ptr<const TlsIdentity> tls) {
  const auto address = parse_listen_address(options.listen);
  if (!address) return address.error();
  auto acceptors = open_acceptors(contexts, *address);
  if (!acceptors) return acceptors.error();
  error_code ec;
  const auto port = acceptors->front().local_endpoint(ec).port();
  if (ec) return ec;

  std::unique_ptr<Listener> listener(new Listener(port));
  const auto common = std::make_shared<Common>(std::move(options), ingest, std::move(tls));
  for (auto& acceptor : *acceptors) {
    auto lane = std::make_shared<Lane>(std::move(acceptor), common);
    auto loop = [lane] { return lane->accept_loop(); };
    asio::co_spawn(lane->acceptor.get_executor(), std::move(loop), [](const std::exception_ptr& thrown) {
      if (thrown) spdlog::critical("rtmp: no longer accepting on one thread: {}", what(thrown));
    });
    listener->lanes_.push_back(std::move(lane));
  }
  return Result<std::unique_ptr<Listener>>(std::move(listener));
}

Listener::~Listener() = default;

std::size_t Listener::connections() const { return lanes_.front()->common->admissions->total(); }

void Listener::stop() {
  for (const auto& lane : lanes_) asio::post(lane->acceptor.get_executor(), [lane] { lane->stop(); });
}

}  // namespace lookback::server::rtmp
