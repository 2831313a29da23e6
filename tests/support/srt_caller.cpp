#include "tests/support/srt_caller.hpp"

#include <arpa/inet.h>
#include <srt/srt.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace lookback::support {
namespace {

struct Library {
  Library() { srt_startup(); }
  ~Library() { srt_cleanup(); }
};

void set(int socket, SRT_SOCKOPT option, int value) {
  if (srt_setsockflag(socket, option, &value, sizeof(value)) == SRT_ERROR)
    throw std::runtime_error("SRT option");
}

void set(int socket, SRT_SOCKOPT option, const std::string& value) {
  if (srt_setsockflag(socket, option, value.data(), static_cast<int>(value.size())) == SRT_ERROR) {
    throw std::runtime_error("SRT option");
  }
}

}  // namespace

SrtCaller::SrtCaller(std::uint16_t port, const Options& options) {
  static const Library library;
  socket_ = srt_create_socket();
  set(socket_, SRTO_TRANSTYPE, SRTT_LIVE);
  set(socket_, SRTO_CONNTIMEO, 3'000);
  if (!options.stream_id.empty()) set(socket_, SRTO_STREAMID, options.stream_id);
  if (!options.passphrase.empty()) {
    set(socket_, SRTO_PBKEYLEN, options.key_bytes);
    set(socket_, SRTO_PASSPHRASE, options.passphrase);
  }
  if (options.latency_ms > 0) set(socket_, SRTO_LATENCY, options.latency_ms);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* where = reinterpret_cast<const sockaddr*>(&address);
  if (srt_connect(socket_, where, sizeof(address)) == SRT_ERROR) reject_code_ = srt_getrejectreason(socket_);
}

SrtCaller::~SrtCaller() { close(); }

bool SrtCaller::send(std::string_view bytes, double pace_mbps) {
  constexpr std::size_t datagram_bytes = 1'316;
  auto next = std::chrono::steady_clock::now();
  while (!bytes.empty()) {
    const auto part = bytes.substr(0, datagram_bytes);
    if (srt_send(socket_, part.data(), static_cast<int>(part.size())) == SRT_ERROR) return false;
    bytes.remove_prefix(part.size());
    next += std::chrono::microseconds(
        static_cast<std::int64_t>(static_cast<double>(part.size()) * 8 / pace_mbps));
    std::this_thread::sleep_until(next);
  }
  return true;
}

bool SrtCaller::sees_close(int limit_ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(limit_ms);
  while (srt_getsockstate(socket_) == SRTS_CONNECTED) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// What was sent has arrived before the peer learns of the end: in live mode libsrt does not wait for that.
void SrtCaller::close() {
  if (socket_ == SRT_INVALID_SOCK) return;
  std::size_t blocks = 1, bytes = 0;
  for (int i = 0; i < 400 && blocks > 0; ++i) {
    if (srt_getsockstate(socket_) != SRTS_CONNECTED ||
        srt_getsndbuffer(socket_, &blocks, &bytes) == SRT_ERROR)
      break;
    if (blocks > 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  srt_close(socket_);
  socket_ = SRT_INVALID_SOCK;
}

}  // namespace lookback::support
