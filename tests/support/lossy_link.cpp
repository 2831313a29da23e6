#include "tests/support/lossy_link.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <system_error>
#include <vector>

namespace lookback::support {
namespace {

using Clock = std::chrono::steady_clock;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int udp_socket() {
  const int descriptor = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), "socket");
  const auto any = loopback(0);
  if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&any), sizeof(any)) != 0)
    throw std::system_error(errno, std::generic_category(), "bind");
  constexpr int bytes = 4 << 20;
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
  return descriptor;
}

struct Datagram {
  Clock::time_point due;
  int by = -1;  ///< the socket that sends it
  sockaddr_in to{};
  std::string bytes;
  bool operator>(const Datagram& other) const { return due > other.due; }
};

/// A caller: the server sees it as a socket of its own.
struct Flow {
  explicit Flow(sockaddr_in from) : caller(from), back(udp_socket()) {}
  ~Flow() { ::close(back); }
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;
  sockaddr_in caller;
  int back;
};

}  // namespace

LossyLink::LossyLink(std::uint16_t server, Options options) : front_(udp_socket()) {
  sockaddr_in bound{};
  socklen_t size = sizeof(bound);
  ::getsockname(front_, reinterpret_cast<sockaddr*>(&bound), &size);
  port_ = ntohs(bound.sin_port);
  thread_ = std::thread([this, server, options] { run(server, options); });
}

LossyLink::~LossyLink() {
  stopping_ = true;
  thread_.join();
  ::close(front_);
}

void LossyLink::run(std::uint16_t server, Options options) {
  std::minstd_rand random(options.seed);
  std::map<std::uint16_t, std::unique_ptr<Flow>> flows;  // by the caller's port
  std::priority_queue<Datagram, std::vector<Datagram>, std::greater<>> waiting;
  std::array<char, 2'048> buffer;
  const auto most_us = std::chrono::microseconds(options.most_delay).count() + 1;

  const auto take = [&](int descriptor, sockaddr_in& from) -> bool {
    socklen_t size = sizeof(from);
    const auto count =
        ::recvfrom(descriptor, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 0) return false;
    if (random() % 1'000 < options.loss_per_mille) {
      ++lost_;
      return true;
    }
    ++carried_;
    Datagram datagram;
    datagram.due = Clock::now() + std::chrono::microseconds(random() % static_cast<unsigned long>(most_us));
    datagram.bytes.assign(buffer.data(), static_cast<std::size_t>(count));
    if (descriptor == front_) {
      auto& flow = flows[ntohs(from.sin_port)];
      if (!flow) flow = std::make_unique<Flow>(from);
      datagram.by = flow->back;
      datagram.to = loopback(server);
    } else {
      for (const auto& [port, flow] : flows)
        if (flow->back == descriptor) datagram.to = flow->caller;
      datagram.by = front_;
    }
    waiting.push(std::move(datagram));
    return true;
  };

  while (!stopping_) {
    std::vector<pollfd> polled{{front_, POLLIN, 0}};
    for (const auto& [port, flow] : flows) polled.push_back({flow->back, POLLIN, 0});
    ::poll(polled.data(), polled.size(), waiting.empty() ? 10 : 1);
    sockaddr_in from{};
    for (const auto& each : polled) {
      if (each.revents & POLLIN) {
        while (take(each.fd, from)) {
        }
      }
    }
    for (const auto now = Clock::now(); !waiting.empty() && waiting.top().due <= now; waiting.pop()) {
      const auto& next = waiting.top();
      ::sendto(next.by, next.bytes.data(), next.bytes.size(), 0, reinterpret_cast<const sockaddr*>(&next.to),
               sizeof(next.to));
    }
  }
}

}  // namespace lookback::support
