#pragma once
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "server/ingest/ingest.hpp"
#include "server/ingest/rtmp/listener.hpp"
#include "tests/server/ingest/recording_ingest.hpp"

/// A real listener on a free port whose streams only record, and a client that says any bytes.
namespace lookback::support {

using namespace std::chrono_literals;

/// The listener on two threads. Stops, runs its contexts dry and joins when destroyed.
class RtmpServer {
 public:
  explicit RtmpServer(server::rtmp::Options options = {},
                      std::shared_ptr<const server::TlsIdentity> tls = nullptr) {
    options.listen = "127.0.0.1:0";
    auto opened =
        server::rtmp::Listener::open({&contexts_[0], &contexts_[1]}, options, ingest, std::move(tls));
    if (!opened) throw std::runtime_error("cannot listen: " + opened.error().message());
    listener_ = std::move(*opened);
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this, i] { contexts_[i].run(); });
  }
  ~RtmpServer() { stop(); }

  std::uint16_t port() const { return listener_->port(); }
  std::string url(const std::string& path) const {
    return "rtmp://127.0.0.1:" + std::to_string(port()) + "/" + path;
  }
  std::size_t connections() const { return listener_->connections(); }
  bool wait_connections(std::size_t count, std::chrono::milliseconds limit = 20s) const {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (connections() != count) {
      if (std::chrono::steady_clock::now() >= until) return false;
      std::this_thread::sleep_for(2ms);
    }
    return true;
  }
  /// Returns when every context has run dry.
  void stop() {
    listener_->stop();
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

  RecordingIngest ingest;

 private:
  boost::asio::io_context contexts_[2] = {boost::asio::io_context(1), boost::asio::io_context(1)};
  std::unique_ptr<server::rtmp::Listener> listener_;
  std::vector<std::thread> threads_;
};

/// A blocking TCP client on a plain socket.
class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// False: the server has cut the connection.
  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// No more bytes from us.
  void finish() { ::shutdown(socket_, SHUT_WR); }
  /// Closes with a reset instead of an orderly end.
  void reset_on_close() {
    const linger hard{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
  }
  /// Reads until `text` has come.
  bool hears(std::string_view text, std::chrono::milliseconds limit = 20s) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (heard_.find(text) == std::string::npos) {
      if (!read_until(until)) return false;
    }
    return true;
  }
  /// Reads until the server closes.
  bool sees_close(std::chrono::milliseconds limit = 20s) {
    const auto until = std::chrono::steady_clock::now() + limit;
    while (!closed_ && read_until(until)) {
    }
    return closed_;
  }
  const std::string& heard() const { return heard_; }

 private:
  /// False: closed, or the time is up.
  bool read_until(std::chrono::steady_clock::time_point until) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd waiting{socket_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return false;
    char buffer[65'536];
    const auto size = ::recv(socket_, buffer, sizeof(buffer), 0);
    closed_ = size <= 0;
    if (size > 0) heard_.append(buffer, static_cast<std::size_t>(size));
    return size > 0;
  }

  const int socket_;
  std::string heard_;
  bool closed_ = false;
};

}  // namespace lookback::support
