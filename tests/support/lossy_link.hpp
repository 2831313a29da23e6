#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace lookback::support {

/// A network between UDP peers on this machine that loses and delays datagrams at random, each way, as
/// `tc netem` does; the same draws for the same seed. Callers call `port()` instead of the server's. It needs
/// neither privileges nor the kernel's netem, which not every machine has. Runs on a thread of its own.
class LossyLink {
 public:
  struct Options {
    unsigned loss_per_mille = 50;
    std::chrono::milliseconds most_delay{
        100};  ///< each datagram waits from 0 up to this long: it may pass others
    std::uint32_t seed = 1;
  };
  /// To 127.0.0.1:`server`. Throws std::system_error when there is no socket.
  LossyLink(std::uint16_t server, Options options);
  ~LossyLink();
  LossyLink(const LossyLink&) = delete;
  LossyLink& operator=(const LossyLink&) = delete;

  std::uint16_t port() const { return port_; }
  std::uint64_t carried() const { return carried_; }
  std::uint64_t lost() const { return lost_; }

 private:
  void run(std::uint16_t server, Options options);

  int front_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<std::uint64_t> carried_{0}, lost_{0};
  std::thread thread_;
};

}  // namespace lookback::support
