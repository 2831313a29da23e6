#include "server/ingest/srt/socket.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <srt/srt.h>
#include <sys/syslog.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/system/errc.hpp>
#include <cstring>

namespace lookback::server::srt {
namespace {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;
namespace errc = boost::system::errc;

constexpr int datagram_bytes = 1'500;  // SRTO_MSS, which the buffers are counted in

std::string version_text(int version) {
  return fmt::format("libsrt {}.{}.{}", version >> 16 & 0xff, version >> 8 & 0xff, version & 0xff);
}

bool set(SRTSOCKET id, SRT_SOCKOPT option, int value) {
  return srt_setsockflag(id, option, &value, sizeof(value)) != SRT_ERROR;
}

/// What every accepted socket inherits.
bool set_options(SRTSOCKET id, const Options& options) {
  constexpr int with_stream_id = 0x010300;  // version 1.3.0
  const auto packets = static_cast<int>(options.receive_buffer_bytes / datagram_bytes);
  const int flag_off = 0, flag_on = 1;
  return set(id, SRTO_RCVSYN, flag_off) && set(id, SRTO_TRANSTYPE, SRTT_LIVE) &&
         set(id, SRTO_ENFORCEDENCRYPTION, flag_on) && set(id, SRTO_MINVERSION, with_stream_id) &&
         set(id, SRTO_RCVLATENCY, static_cast<int>(options.latency.count())) &&
         set(id, SRTO_PEERIDLETIMEO, static_cast<int>(options.peer_timeout.count())) &&
         set(id, SRTO_FC, std::max(packets, 32)) && set(id, SRTO_RCVBUF, packets * datagram_bytes);
}

Result<Socket> bind_to(const udp::endpoint& endpoint, bool dual_stack, const Options& options) {
  Socket socket(srt_create_socket());
  if (socket.id() == SRT_INVALID_SOCK) return last_error();
  if (!set_options(socket.id(), options)) return last_error();
  if (endpoint.address().is_v6() && !set(socket.id(), SRTO_IPV6ONLY, dual_stack ? 0 : 1)) return last_error();
  if (srt_bind(socket.id(), endpoint.data(), static_cast<int>(endpoint.size())) == SRT_ERROR) {
    return last_error();
  }
  return Result<Socket>(std::move(socket));
}

bool without_ipv6(const error_code& ec) {
  return ec == errc::address_family_not_supported || ec == errc::address_not_available;
}

}  // namespace

Library::Library() {
  srt_startup();
  srt_setloglevel(LOG_CRIT);
}
Library::~Library() { srt_cleanup(); }

Socket::~Socket() {
  if (id_ != none) srt_close(id_);
}

error_code last_error() {
  int number = 0;
  const auto code = srt_getlasterror(&number);
  if (number > 0) return {number, boost::system::system_category()};
  if (code == SRT_EBINDCONFLICT || code == SRT_EDUPLISTEN || code == SRT_EBOUNDSOCK)
    return make_error_code(errc::address_in_use);
  if (code == SRT_EINVPARAM) return make_error_code(errc::invalid_argument);
  return make_error_code(errc::io_error);
}

Result<Socket> bind_socket(const ListenAddress& address, const Options& options) {
  const udp::endpoint endpoint(address.endpoint.address(), address.endpoint.port());
  auto bound = bind_to(endpoint, address.dual_stack, options);
  if (bound || !address.dual_stack || !without_ipv6(bound.error())) return bound;
  return bind_to({asio::ip::address_v4::any(), endpoint.port()}, false, options);
}

Result<Socket> call_socket(const PullTarget& target, const Options& options) {
  Socket socket(srt_create_socket());
  const auto id = socket.id();
  if (id == SRT_INVALID_SOCK || !set_options(id, options)) return last_error();
  const auto set_text = [&](SRT_SOCKOPT option, const std::string& text) {
    return text.empty() ||
           srt_setsockflag(id, option, text.data(), static_cast<int>(text.size())) != SRT_ERROR;
  };
  const auto latency = target.latency.value_or(options.latency);
  if (!set(id, SRTO_RCVLATENCY, static_cast<int>(latency.count())) ||
      !set(id, SRTO_CONNTIMEO, static_cast<int>(options.pull_timeout.count())) ||
      !set_text(SRTO_STREAMID, target.stream_id) || !set_text(SRTO_PASSPHRASE, target.passphrase)) {
    return last_error();
  }
  return Result<Socket>(std::move(socket));
}

std::uint16_t port_of(const Socket& socket) {
  sockaddr_storage address{};
  int size = sizeof(address);
  if (srt_getsockname(socket.id(), reinterpret_cast<sockaddr*>(&address), &size) == SRT_ERROR) return 0;
  return endpoint_of(reinterpret_cast<const sockaddr&>(address)).port();
}

udp::endpoint endpoint_of(const sockaddr& address) {
  udp::endpoint endpoint;
  const std::size_t size = address.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  std::memcpy(endpoint.data(), &address, size);
  endpoint.resize(size);
  return endpoint;
}

LinkStats stats_of(Socket::Id id) {
  SRT_TRACEBSTATS perf{};
  if (srt_bistats(id, &perf, 0, 1) == SRT_ERROR) return {};
  const auto count = [](auto value) { return static_cast<std::uint64_t>(std::max<std::int64_t>(0, value)); };
  return {.rtt = std::chrono::microseconds(static_cast<std::int64_t>(perf.msRTT * 1'000)),
          .latency = std::chrono::milliseconds(perf.msRcvTsbPdDelay),
          .received_packets = count(perf.pktRecvTotal),
          .lost_packets = count(perf.pktRcvLossTotal),
          .dropped_packets = count(perf.pktRcvDropTotal),
          .undecrypted_packets = count(perf.pktRcvUndecryptTotal),
          .receive_mbps = perf.mbpsRecvRate};
}

std::string peer_version(Socket::Id id) {
  int version = 0, size = sizeof(version);
  if (srt_getsockflag(id, SRTO_PEERVERSION, &version, &size) == SRT_ERROR) return {};
  return version_text(version);
}

std::string library_version() { return version_text(static_cast<int>(srt_getversion())); }

}  // namespace lookback::server::srt
