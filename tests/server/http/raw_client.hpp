#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace lookback::test {

/// One bare socket: for clients that break rules, never read, or leave with a reset.
class RawClient {
 public:
  /// `receive_buffer_bytes` 0: the system's choice.
  explicit RawClient(std::uint16_t port, int receive_buffer_bytes = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer_bytes != 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(socket_);
      throw std::runtime_error("cannot connect");
    }
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  /// Sends what the socket takes at once; the number of bytes.
  std::size_t send(std::string_view bytes) const {
    const auto sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }
  /// All that comes until the peer closes or resets. Throws when it does neither in time.
  std::string read_to_end(std::chrono::milliseconds limit = std::chrono::seconds(5)) const {
    const auto end = std::chrono::steady_clock::now() + limit;
    std::string out;
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      pollfd ready{.fd = socket_, .events = POLLIN, .revents = 0};
      if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) {
        throw std::runtime_error("the peer does not close; it sent: " + out);
      }
      char bytes[4096];
      const auto count = ::recv(socket_, bytes, sizeof bytes, 0);
      if (count <= 0) return out;
      out.append(bytes, static_cast<std::size_t>(count));
    }
  }
  void reset_on_close() const {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }

 private:
  int socket_;
};

/// How a connection that ends went.
struct Outcome {
  int status = 0;  ///< of the first response; 0: none
  int responses = 0;
};

/// Sends `bytes` on a new connection and reads until the server closes it.
inline Outcome outcome_of(std::uint16_t port, const std::string& bytes) {
  constexpr std::string_view start = "HTTP/1.1 ";
  RawClient client(port);
  for (std::string_view rest = bytes; !rest.empty();) {
    const auto sent = client.send(rest);
    if (sent == 0) break;  // refused in the middle
    rest.remove_prefix(sent);
  }
  const auto text = client.read_to_end();
  Outcome outcome;
  for (auto at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    const auto status = std::string_view(text).substr(at + start.size(), 3);
    if (status.empty() || std::isdigit(static_cast<unsigned char>(status[0])) == 0) continue;
    if (outcome.responses++ == 0) outcome.status = std::stoi(std::string(status));
  }
  return outcome;
}

}  // namespace lookback::test
