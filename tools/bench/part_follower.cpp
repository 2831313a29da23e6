// Follows low-latency media playlists and tells when each part could be had.
//
//   part_follower [--listed FPS] HOST:PORT SECONDS PLAYLIST-TARGET...
//
// Start it together with the publisher of new streams: samples are counted from a stream's first part on.
// Prints "NUMBER first LISTED" when the first playlist of a target has come, and then, for each part that
// came while a blocking reload waited for it, "NUMBER FRAME LISTED RECEIVED": the target's number (from 0),
// the number of the part's last sample since the start, and CLOCK_MONOTONIC in ns when the playlist that
// lists it, and then the whole part, had been received. A thread for each target, blocking sockets: nothing
// but the server and the kernel is between the two. With --listed media are not fetched: samples are counted
// by the durations of the parts, at that constant rate, and RECEIVED is LISTED.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lib/http.hpp"
#include "lib/live_playlist.hpp"

namespace {

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t first_playlist_limit_ns = 20 * second_ns;
constexpr int answer_limit_s = 15;

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * second_ns + now.tv_nsec;
}

struct Answer {
  int status = 0;
  std::string body;
  std::int64_t received_ns = 0;
};

/// One keep-alive connection with one request at a time.
class Client {
 public:
  explicit Client(const sockaddr_in& address) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const timeval limit{answer_limit_s, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("cannot connect");
    }
  }
  ~Client() { close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  Answer get(const std::string& target) {
    const auto request = bench::get_request(target);
    if (send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
      throw std::runtime_error("cannot send");
    }
    std::string data;
    while (true) {
      const auto head = bench::parse_head(data);
      if (head && data.size() >= head->size + head->length) {
        return {head->status, data.substr(head->size, head->length), now_ns()};
      }
      const auto count = recv(socket_, buffer_, sizeof buffer_, 0);
      if (count <= 0) throw std::runtime_error("no answer to " + target);
      data.append(buffer_, static_cast<std::size_t>(count));
    }
  }

 private:
  const int socket_;
  char buffer_[256 << 10];
};

std::uint32_t big_endian_at(std::string_view data, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(data.at(at + i));
  return value;
}

/// Samples in all `trun` boxes below `data` (ISO/IEC 14496-12 8.8.8); media of one track.
std::uint64_t count_samples(std::string_view data) {
  std::uint64_t count = 0;
  while (data.size() >= 8) {
    const auto size = big_endian_at(data, 0);
    if (size < 8 || size > data.size()) throw std::runtime_error("a box does not fit in its part");
    const auto type = data.substr(4, 4);
    if (type == "moof" || type == "traf") count += count_samples(data.substr(8, size - 8));
    if (type == "trun") count += big_endian_at(data, 12);
    data.remove_prefix(size);
  }
  return count;
}

class Follower {
 public:
  /// `fps`: 0: samples are counted in the media.
  Follower(const sockaddr_in& address, std::string target, std::size_t number, double fps)
      : client_(address),
        target_(std::move(target)),
        folder_(target_.substr(0, target_.rfind('/') + 1)),
        number_(number),
        fps_(fps) {}

  void run(std::int64_t duration_ns) {
    const auto start_ns = now_ns();
    auto playlist = first_playlist(start_ns + first_playlist_limit_ns);
    if (playlist.parts.empty() || playlist.parts.front().position != bench::Position{}) {
      throw std::runtime_error("the first playlist does not begin with the first part of a new stream");
    }
    std::printf("%zu first %lld\n", number_, static_cast<long long>(listed_ns_));
    for (const auto& part : playlist.parts) load(part);
    const auto end_ns = now_ns() + duration_ns;
    for (auto next = playlist.next; now_ns() < end_ns; next = playlist.next) {
      const auto answer = client_.get(target_ + "?_HLS_msn=" + std::to_string(next.msn) +
                                      "&_HLS_part=" + std::to_string(next.part) + "&_HLS_skip=YES");
      if (answer.status != 200) throw std::runtime_error("status " + std::to_string(answer.status));
      listed_ns_ = answer.received_ns;
      playlist = bench::parse_live_playlist(answer.body);
      std::erase_if(playlist.parts, [&](const bench::Part& part) { return part.position < next; });
      for (const auto& part : playlist.parts) {
        const auto received_ns = load(part);
        if (playlist.parts.size() > 1) continue;  // was late itself
        std::printf("%zu %llu %lld %lld\n", number_, static_cast<unsigned long long>(samples_ - 1),
                    static_cast<long long>(listed_ns_), static_cast<long long>(received_ns));
      }
    }
  }

 private:
  bench::LivePlaylist first_playlist(std::int64_t deadline_ns) {
    while (now_ns() < deadline_ns) {
      const auto answer = client_.get(target_);
      if (answer.status == 200) {
        listed_ns_ = answer.received_ns;
        return bench::parse_live_playlist(answer.body);
      }
      usleep(20'000);  // nobody has published it yet
    }
    throw std::runtime_error("no playlist at " + target_);
  }

  std::int64_t load(const bench::Part& part) {
    if (fps_ > 0) {
      listed_s_ += part.duration_s;
      samples_ = static_cast<std::uint64_t>(std::llround(listed_s_ * fps_));
      return listed_ns_;
    }
    const auto answer = client_.get(folder_ + part.uri);
    if (answer.status != 200) throw std::runtime_error(part.uri + ": " + std::to_string(answer.status));
    samples_ += count_samples(answer.body);
    return answer.received_ns;
  }

  Client client_;
  const std::string target_, folder_;
  const std::size_t number_;
  const double fps_;
  std::int64_t listed_ns_ = 0;  ///< when the newest playlist came
  double listed_s_ = 0;         ///< durations of all parts so far
  std::uint64_t samples_ = 0;
};

}  // namespace

int main(int count, char** words) {
  std::vector<std::string> arguments(words + 1, words + count);
  double fps = 0;
  if (arguments.size() >= 2 && arguments[0] == "--listed") {
    fps = std::atof(arguments[1].c_str());
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  if (arguments.size() < 3) {
    std::fprintf(stderr, "usage: part_follower [--listed FPS] HOST:PORT SECONDS PLAYLIST-TARGET...\n");
    return 2;
  }
  std::atomic<bool> failed{false};
  const auto duration_ns = std::atoll(arguments[1].c_str()) * second_ns;
  std::vector<std::jthread> threads;
  for (std::size_t i = 2; i < arguments.size(); ++i) {
    threads.emplace_back([&, i] {
      try {
        Follower(bench::address_of(arguments[0]), arguments[i], i - 2, fps).run(duration_ns);
      } catch (const std::exception& e) {
        std::fprintf(stderr, "part_follower: %s: %s\n", arguments[i].c_str(), e.what());
        failed = true;
      }
    });
  }
  threads.clear();
  return failed ? 1 : 0;
}
