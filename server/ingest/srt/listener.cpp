#include "server/ingest/srt/listener.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <srt/srt.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <string>
#include <thread>

#include "server/ingest/srt/doorkeeper.hpp"
#include "server/ingest/srt/pull/puller.hpp"
#include "server/ingest/srt/session.hpp"
#include "server/ingest/srt/socket.hpp"

namespace lookback::server::srt {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Between two rounds datagrams gather, so that one wake-up and one post serve several: a stream of 3 Mbit/s
/// brings one in 3.5 ms, and a part lasts 334 ms.
constexpr auto gather_time = 5ms;
constexpr std::int64_t wait_ms = 50;
/// A shutdown that overtakes the end of the caller's handshake is lost: the caller would wait for its own
/// time-out.
constexpr auto settle_time = 250ms;
constexpr auto tick_time = 100ms, report_time = 1'000ms;
constexpr std::size_t datagram_bytes = SRT_LIVE_MAX_PLSIZE;
/// Of one connection in one round, so that one publisher cannot starve the others: 270 Mbit/s.
constexpr std::size_t max_batch = 128;
constexpr int backlog = 256;

/// "127.0.0.1:8890/live/cam" in its two halves.
std::pair<std::string, std::string> split_stream(const std::string& listen) {
  const auto slash = listen.find('/');
  if (slash == std::string::npos) return {listen, {}};
  return {listen.substr(0, slash), listen.substr(slash + 1)};
}

}  // namespace

/// Everything that touches libsrt after the start; its members but `stopping` belong to its thread.
class Listener::Thread {
 public:
  /// A port with the stream of its own, and whom libsrt's handshake asks about callers.
  struct Port {
    Socket socket;
    std::string fixed;
    Doorkeeper* doorkeeper;
  };

  Thread(std::vector<asio::io_context*> contexts, asio::thread_pool& blocking, std::shared_ptr<Common> common)
      : common_(std::move(common)),
        doorkeeper_(common_),
        contexts_(std::move(contexts)),
        poll_(srt_epoll_create()),
        puller_(
            common_, blocking, poll_,
            [this](Socket socket, Guest guest) { return connect(std::move(socket), std::move(guest)); },
            [this](Socket::Id id, const std::string& why) { cut(id, why); }) {
    srt_epoll_set(poll_, SRT_EPOLL_ENABLE_EMPTY);
  }
  ~Thread() {
    stopping = true;
    if (thread_.joinable()) thread_.join();
    ports_.clear();  // no caller is asked about any more
    srt_epoll_release(poll_);
  }

  Result<std::uint16_t> listen(const std::string& where);
  /// Idempotent.
  void start() {
    const std::lock_guard lock(start_mutex_);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  Puller& puller() { return puller_; }

  std::atomic<bool> stopping{false};
  std::shared_ptr<Common> common() const { return common_; }

 private:
  struct Connection {
    Socket socket;
    std::shared_ptr<Session> session;
    Clock::time_point since, last_bytes;
  };
  using Connections = std::map<Socket::Id, Connection>;

  /// In libsrt's handshake thread, which closing the port waits for. 0: let in; -1: refused.
  static int on_caller(void* port, SRTSOCKET id, int handshake_version, const sockaddr* peer,
                       const char* stream_id);
  void run();
  void accept_all(const Port& port);
  void accept(Socket socket);
  bool connect(Socket socket, Guest guest);
  void cut(Socket::Id id, const std::string& why);
  void try_read(Connections::iterator connection);
  bool read(Connection& connection);
  void disconnect(Connections::iterator connection, const std::string& why);
  void tick(Clock::time_point now);
  void end_all();

  const Library library_;  // first: the sockets need it
  const std::shared_ptr<Common> common_;
  Doorkeeper doorkeeper_;
  const std::vector<asio::io_context*> contexts_;
  const int poll_;
  Puller puller_;
  std::vector<std::unique_ptr<Port>> ports_;  ///< unique: libsrt keeps pointers to them
  Connections connections_;
  std::size_t accepted_ = 0;
  Clock::time_point next_tick_{}, next_report_{};
  std::mutex start_mutex_;  ///< guards thread_ while it is started
  std::thread thread_;
};

int Listener::Thread::on_caller(void* opaque, SRTSOCKET id, int handshake_version, const sockaddr* peer,
                                const char* stream_id) {
  constexpr int with_stream_id = 5;
  if (handshake_version < with_stream_id || peer == nullptr) return -1;
  const auto& port = *static_cast<const Port*>(opaque);
  const auto decision =
      port.doorkeeper->decide(id, endpoint_of(*peer), stream_id ? stream_id : "", port.fixed);
  if (decision.reject_code != 0) {
    srt_setrejectreason(id, decision.reject_code);
    return -1;
  }
  const auto& phrase = decision.passphrase;
  if (phrase.empty()) return 0;
  return srt_setsockflag(id, SRTO_PASSPHRASE, phrase.data(), static_cast<int>(phrase.size()));
}

Result<std::uint16_t> Listener::Thread::listen(const std::string& where) {
  const auto [host_port, fixed] = split_stream(where);
  if (!fixed.empty()) {
    if (auto name = check_stream_name(fixed); !name) return name.error();
  }
  const auto address = parse_listen_address(host_port);
  if (!address) return address.error();
  auto socket = bind_socket(*address, common_->options);
  if (!socket) return socket.error();
  const auto number = port_of(*socket);
  auto port = std::make_unique<Port>(Port{std::move(*socket), fixed, &doorkeeper_});
  const int events = SRT_EPOLL_IN | SRT_EPOLL_ERR;
  const auto id = port->socket.id();
  if (srt_listen_callback(id, on_caller, port.get()) == SRT_ERROR || srt_listen(id, backlog) == SRT_ERROR ||
      srt_epoll_add_usock(poll_, id, &events) == SRT_ERROR) {
    return last_error();
  }
  ports_.push_back(std::move(port));
  return number;
}

void Listener::Thread::run() {
  std::array<SRT_EPOLL_EVENT, 256> ready{};
  while (!stopping) {
    const int count = srt_epoll_uwait(poll_, ready.data(), static_cast<int>(ready.size()), wait_ms);
    for (int i = 0; i < std::min(count, static_cast<int>(ready.size())); ++i) {
      const auto id = ready[static_cast<std::size_t>(i)].fd;
      const auto is_it = [id](const auto& port) { return port->socket.id() == id; };
      if (const auto port = std::ranges::find_if(ports_, is_it); port != ports_.end()) {
        accept_all(**port);
      } else if (const auto found = connections_.find(id); found != connections_.end()) {
        try_read(found);
      } else {
        puller_.ready(id);
      }
    }
    tick(Clock::now());
    if (count != 0) std::this_thread::sleep_for(gather_time);
  }
  end_all();
}

void Listener::Thread::accept_all(const Port& port) {
  for (;;) {
    const auto id = srt_accept(port.socket.id(), nullptr, nullptr);
    if (id == SRT_INVALID_SOCK) return;
    try {
      accept(Socket(id));
    } catch (const std::exception& e) {  // a lack of memory costs this connection, not the loop
      common_->warn(fmt::format("connection cut: {}", e.what()));
    }
  }
}

void Listener::Thread::accept(Socket socket) {
  auto guest = doorkeeper_.take(socket.id());
  if (!guest) return;
  if (guest->request.encoder.empty()) guest->request.encoder = peer_version(socket.id());
  connect(std::move(socket), std::move(*guest));
}

/// A connection that stands, called by either side. False: it cannot be watched.
bool Listener::Thread::connect(Socket socket, Guest guest) {
  const int events = SRT_EPOLL_IN | SRT_EPOLL_ERR;
  if (srt_epoll_add_usock(poll_, socket.id(), &events) == SRT_ERROR &&
      srt_epoll_update_usock(poll_, socket.id(), &events) == SRT_ERROR)
    return false;
  auto* context = contexts_[accepted_++ % contexts_.size()];
  auto session = std::make_shared<Session>(context->get_executor(), std::move(guest), common_);
  session->start();
  const auto id = socket.id();
  const auto now = Clock::now();
  connections_.emplace(id, Connection{std::move(socket), std::move(session), now, now});
  return true;
}

void Listener::Thread::cut(Socket::Id id, const std::string& why) {
  if (const auto found = connections_.find(id); found != connections_.end())
    found->second.session->end({}, why);
}

void Listener::Thread::try_read(Connections::iterator connection) try {
  if (!read(connection->second)) disconnect(connection, "the peer closed the connection, or it broke");
} catch (const std::exception& e) {  // a lack of memory costs this connection, not the loop
  disconnect(connection, e.what());
}

/// False: the connection is over, and everything that came is taken.
bool Listener::Thread::read(Connection& connection) {
  const auto id = connection.socket.id();
  std::vector<std::byte> batch;
  bool broken = false;
  for (std::size_t i = 0; i < max_batch; ++i) {
    const auto before = batch.size();
    batch.resize(before + datagram_bytes);
    const int size = srt_recvmsg(id, reinterpret_cast<char*>(batch.data() + before), datagram_bytes);
    batch.resize(before + (size > 0 ? static_cast<std::size_t>(size) : 0));
    if (size > 0) continue;
    broken = size == 0 || srt_getlasterror(nullptr) != SRT_EASYNCRCV;
    break;
  }
  if (!batch.empty()) {
    connection.last_bytes = Clock::now();
    connection.session->offer(std::move(batch));
  }
  return !broken;
}

void Listener::Thread::disconnect(Connections::iterator connection, const std::string& why) {
  auto& [socket, session, since, last_bytes] = connection->second;
  if (const auto stats = stats_of(socket.id()); stats.received_packets > 0) session->report(stats);
  session->disconnected(why);
  puller_.disconnected(socket.id(), last_bytes > since, why);
  connections_.erase(connection);
}

void Listener::Thread::tick(Clock::time_point now) {
  if (now < next_tick_) return;
  next_tick_ = now + tick_time;
  const bool report = now >= next_report_;
  if (report) next_report_ = now + report_time;
  puller_.tick(now);
  for (auto next = connections_.begin(); next != connections_.end();) {
    const auto current = next++;
    auto& [socket, session, since, last_bytes] = current->second;
    if (report) session->report(stats_of(socket.id()));
    if (session->over() && now - since >= settle_time) {
      disconnect(current, "closed by the server");
    } else if (now - last_bytes > common_->options.idle_timeout) {
      disconnect(current, "no data came within srt.idle_timeout");
    }
  }
}

void Listener::Thread::end_all() {
  ports_.clear();
  puller_.stop();
  while (!connections_.empty()) {
    connections_.begin()->second.session->end(Errc::shutting_down, "the server is stopping");
    disconnect(connections_.begin(), "the server is stopping");
  }
}

Listener::Listener() = default;
Listener::~Listener() = default;

Result<std::unique_ptr<Listener>> Listener::open(const std::vector<asio::io_context*>& contexts,
                                                 asio::thread_pool& blocking, Options options, Ingest& ingest,
                                                 const PublishGuard& guard) {
  std::unique_ptr<Listener> listener(new Listener());
  const auto common = std::make_shared<Common>(std::move(options), ingest, guard);
  listener->thread_ = std::make_unique<Thread>(contexts, blocking, common);
  for (const auto& where : common->options.listen) {
    const auto port = listener->thread_->listen(where);
    if (!port) {
      spdlog::error("srt.listen {}: {}", where, port.error().message());
      return port.error();
    }
    listener->ports_.push_back(*port);
  }
  if (!listener->ports_.empty()) listener->thread_->start();
  return Result<std::unique_ptr<Listener>>(std::move(listener));
}

std::size_t Listener::connections() const { return thread_->common()->admissions->total(); }

void Listener::pull(std::vector<PullTarget> targets) {
  if (thread_->stopping) return;
  const bool any = !targets.empty();
  thread_->puller().set(std::move(targets));
  if (any) thread_->start();
}

std::vector<PullStatus> Listener::pulls() const { return thread_->puller().statuses(); }

void Listener::stop() { thread_->stopping = true; }

}  // namespace lookback::server::srt
