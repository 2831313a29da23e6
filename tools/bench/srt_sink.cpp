// Takes SRT connections and does nothing but receive: what libsrt itself costs.
//
//   srt_sink [--passphrase PHRASE] [--gather MILLISECONDS]
//
// Listens on a free port of 127.0.0.1 and prints "ready 127.0.0.1:PORT". One thread waits for sockets that
// can be read, takes every datagram they have, and forgets it. With --gather it then lets datagrams gather
// for this long, as Lookback does. Ends on SIGTERM or SIGINT with 0 and the line "BYTES CONNECTIONS".
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <srt/srt.h>
#include <sys/syslog.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

std::atomic<bool> stopping{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // the signal handler writes it

void stop(int) { stopping = true; }

void check(int code, const char* what) {
  if (code == SRT_ERROR) throw std::runtime_error(std::string(what) + ": " + srt_getlasterror_str());
}

class Sink {
 public:
  explicit Sink(const std::string& passphrase) : poll_(srt_epoll_create()), listener_(srt_create_socket()) {
    srt_epoll_set(poll_, SRT_EPOLL_ENABLE_EMPTY);
    const int off = 0;
    check(srt_setsockflag(listener_, SRTO_RCVSYN, &off, sizeof off), "SRTO_RCVSYN");
    if (!passphrase.empty()) {
      const auto size = static_cast<int>(passphrase.size());
      check(srt_setsockflag(listener_, SRTO_PASSPHRASE, passphrase.data(), size), "SRTO_PASSPHRASE");
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int size = sizeof address;
    auto* where = reinterpret_cast<sockaddr*>(&address);
    check(srt_bind(listener_, where, size), "bind");
    check(srt_getsockname(listener_, where, &size), "the port");
    check(srt_listen(listener_, 256), "listen");
    watch(listener_);
    std::printf("ready 127.0.0.1:%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
  }

  void run(std::chrono::milliseconds gather) {
    std::array<SRT_EPOLL_EVENT, 256> ready{};
    while (!stopping) {
      const int count = srt_epoll_uwait(poll_, ready.data(), static_cast<int>(ready.size()), 50);
      for (int i = 0; i < count; ++i) {
        if (ready[static_cast<std::size_t>(i)].fd == listener_)
          accept_all();
        else
          receive_all(ready[static_cast<std::size_t>(i)].fd);
      }
      if (count > 0 && gather.count() > 0) std::this_thread::sleep_for(gather);
    }
    std::printf("%llu %zu\n", static_cast<unsigned long long>(bytes_), connections_);
  }

 private:
  void watch(SRTSOCKET socket) {
    const int events = SRT_EPOLL_IN | SRT_EPOLL_ERR;
    check(srt_epoll_add_usock(poll_, socket, &events), "poll");
  }

  void accept_all() {
    for (SRTSOCKET socket; (socket = srt_accept(listener_, nullptr, nullptr)) != SRT_INVALID_SOCK;) {
      ++connections_;
      watch(socket);
    }
  }

  void receive_all(SRTSOCKET socket) {
    int size = 0;
    while ((size = srt_recvmsg(socket, buffer_.data(), static_cast<int>(buffer_.size()))) > 0)
      bytes_ += static_cast<std::uint64_t>(size);
    if (size == 0 || srt_getlasterror(nullptr) != SRT_EASYNCRCV) srt_close(socket);
  }

  const int poll_;
  const SRTSOCKET listener_;
  std::array<char, SRT_LIVE_MAX_PLSIZE> buffer_{};
  std::uint64_t bytes_ = 0;
  std::size_t connections_ = 0;
};

}  // namespace

int main(int count, char** words) {
  std::string passphrase;
  std::chrono::milliseconds gather{0};
  for (int i = 1; i < count; i += 2) {
    const std::string name = words[i];
    if (i + 1 < count && name == "--passphrase") {
      passphrase = words[i + 1];
    } else if (i + 1 < count && name == "--gather") {
      gather = std::chrono::milliseconds(std::atoi(words[i + 1]));
    } else {
      std::fprintf(stderr, "usage: srt_sink [--passphrase PHRASE] [--gather MILLISECONDS]\n");
      return 2;
    }
  }
  struct sigaction action {};
  action.sa_handler = stop;
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGINT, &action, nullptr);
  srt_startup();
  srt_setloglevel(LOG_CRIT);
  int code = 0;
  try {
    Sink(passphrase).run(gather);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "srt_sink: %s\n", e.what());
    code = 1;
  }
  srt_cleanup();
  return code;
}
