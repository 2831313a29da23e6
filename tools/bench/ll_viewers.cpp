// Many low-latency viewers of one stream, in one thread on epoll.
//
//   ll_viewers [--no-media] VIEWERS WARM-UP-SECONDS SECONDS HOST:PORT PLAYLIST-TARGET
//
// Each viewer has two keep-alive connections. On one a blocking playlist reload (_HLS_msn, _HLS_part,
// _HLS_skip=YES) is always out; on the other it loads the parts that the answers list. After the warm-up the
// line "measuring" is printed, at the end one line of JSON. Lateness of a part: from the first answer to any
// viewer that lists it, until this viewer has all of it. Stall: a viewer that plays since it had three part
// targets has run out of media. Media are dropped in the kernel (MSG_TRUNC): the copy to a player happens on
// other machines. Headers and playlists that are byte for byte what another viewer has just got are compared,
// not parsed again. --no-media: the viewers reload the playlist only.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "lib/http.hpp"
#include "lib/live_playlist.hpp"

namespace {

constexpr std::size_t max_parts_queued = 256;  // of one viewer
constexpr double parts_before_playing = 3;

double now_s() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// What all viewers have seen together.
struct Results {
  std::map<bench::Position, double> first_listed_s;
  bool measuring = false;
  double measuring_since_s = 0;
  std::vector<double> lateness_ms;
  std::uint64_t playlists = 0, playlist_bytes = 0, parts = 0, part_bytes = 0, stalls = 0, errors = 0;
  bench::HeadMemory playlist_heads, media_heads;
  bench::PlaylistMemory listings;
};

/// Media that has arrived against media that has been played.
class Buffer {
 public:
  /// Whether playback had run out when a part of `duration_s` arrived.
  bool arrived(double duration_s, double part_target_s, double time_s) {
    const bool playing = play_from_s_ > 0;
    const bool stalled = playing && time_s - play_from_s_ > media_s_;
    if (stalled) play_from_s_ = time_s - media_s_;
    media_s_ += duration_s;
    if (!playing && media_s_ >= parts_before_playing * part_target_s) play_from_s_ = time_s;
    return stalled;
  }

 private:
  double media_s_ = 0, play_from_s_ = 0;
};

enum class Channel { playlist, media };

/// One connection: a request goes out, its answer comes in.
class Connection {
 public:
  Connection(const sockaddr_in& address, bool keeps_body, bench::HeadMemory& heads)
      : socket_(socket(AF_INET, SOCK_STREAM, 0)), keeps_body_(keeps_body), heads_(heads) {
    const int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error(std::string("cannot connect: ") + std::strerror(errno));
    }
  }
  ~Connection() { close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int descriptor() const { return socket_; }

  bool request(const std::string& target) {
    pieces_.clear();
    head_ = {};
    left_ = 0;
    const auto text = bench::get_request(target);
    const auto sent = send(socket_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return sent == static_cast<ssize_t>(text.size());
  }

  enum class State { waiting, complete, broken };
  /// Reads until the answer is complete or the socket is empty, as epoll's edges ask for.
  State read() {
    static char buffer[64 << 10];
    for (;;) {
      const bool drop = head_.size > 0 && !keeps_body_;
      const auto count = drop ? recv(socket_, nullptr, left_, MSG_TRUNC | MSG_DONTWAIT)
                              : recv(socket_, buffer, keeps_body_ ? sizeof buffer : 1024, MSG_DONTWAIT);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0 && errno == EAGAIN) return State::waiting;
      if (count <= 0) return State::broken;
      if (drop) {
        left_ -= static_cast<std::size_t>(count);
      } else if (!take({buffer, static_cast<std::size_t>(count)})) {
        return State::broken;
      }
      if (head_.size > 0 && left_ == 0) return State::complete;
    }
  }

  const bench::Head& head() const { return head_; }
  /// Of a complete answer that was kept; until the next `read` of any connection.
  std::string_view body() const { return answer_.substr(head_.size); }

 private:
  /// False: more has come than was asked for.
  bool take(std::string_view piece) {
    const bool whole_so_far = pieces_.empty();
    if (!whole_so_far) pieces_.append(piece);
    answer_ = whole_so_far ? piece : pieces_;
    if (head_.size == 0) {
      if (const auto head = heads_.parse(answer_)) head_ = *head;
    }
    const auto whole = head_.size + head_.length;
    if (head_.size > 0 && answer_.size() > whole) return false;
    left_ = head_.size > 0 ? whole - answer_.size() : 0;
    if (whole_so_far && (head_.size == 0 || left_ > 0)) pieces_ = piece;
    return true;
  }

  const int socket_;
  const bool keeps_body_;
  bench::HeadMemory& heads_;
  std::string pieces_;       // of an answer that did not come in one
  std::string_view answer_;  // what has been read of it
  bench::Head head_;
  std::size_t left_ = 0;
};

class Viewer {
 public:
  Viewer(const sockaddr_in& address, const std::string& target, bool loads_media, Results& results)
      : target_(target),
        folder_(target.substr(0, target.rfind('/') + 1)),
        loads_media_(loads_media),
        results_(results),
        playlist_(address, true, results.playlist_heads),
        media_(address, false, results.media_heads) {}

  int descriptor(Channel channel) const {
    return channel == Channel::playlist ? playlist_.descriptor() : media_.descriptor();
  }

  /// Asks for the whole playlist.
  bool join() { return playlist_.request(target_); }

  /// False when the viewer is lost.
  bool readable(Channel channel) {
    auto& connection = channel == Channel::playlist ? playlist_ : media_;
    const auto state = connection.read();
    if (state == Connection::State::waiting) return true;
    if (state == Connection::State::broken || connection.head().status != 200) return false;
    return channel == Channel::playlist ? on_playlist() : on_part();
  }

 private:
  bool on_playlist() {
    const auto time_s = now_s();
    ++results_.playlists;
    results_.playlist_bytes += playlist_.body().size();
    const auto& playlist = results_.listings.parse(playlist_.body());
    if (playlist.part_target_s > 0) part_target_s_ = playlist.part_target_s;
    for (const auto& part : playlist.parts) {
      if (loads_media_ && joined_ && part.position >= next_ && queue_.size() < max_parts_queued) {
        results_.first_listed_s.try_emplace(part.position, time_s);
        queue_.push_back(part);
      }
    }
    joined_ = true;
    next_ = playlist.next;
    return playlist_.request(target_ + "?_HLS_msn=" + std::to_string(next_.msn) +
                             "&_HLS_part=" + std::to_string(next_.part) + "&_HLS_skip=YES") &&
           load();
  }

  bool load() {
    if (loading_ || queue_.empty()) return true;
    loading_ = true;
    return media_.request(folder_ + queue_.front().uri);
  }

  bool on_part() {
    const auto time_s = now_s();
    const auto& part = queue_.front();
    const bool stalled = buffer_.arrived(part.duration_s, part_target_s_, time_s);
    const auto listed_s = results_.first_listed_s.at(part.position);
    if (results_.measuring && listed_s >= results_.measuring_since_s) {
      results_.lateness_ms.push_back((time_s - listed_s) * 1e3);
      ++results_.parts;
      results_.part_bytes += media_.head().length;
      results_.stalls += stalled;
    }
    queue_.pop_front();
    loading_ = false;
    return load();
  }

  const std::string target_, folder_;
  const bool loads_media_;
  Results& results_;
  Connection playlist_, media_;
  bench::Position next_;
  double part_target_s_ = 0;
  std::deque<bench::Part> queue_;
  bool joined_ = false, loading_ = false;
  Buffer buffer_;
};

/// Runs the viewers. An epoll event's number is 2 * viewer + channel.
class Audience {
 public:
  Audience(const sockaddr_in& address, std::string target, bool loads_media, std::size_t size)
      : address_(address),
        target_(std::move(target)),
        loads_media_(loads_media),
        size_(size),
        poll_(epoll_create1(0)) {}
  ~Audience() { close(poll_); }
  Audience(const Audience&) = delete;
  Audience& operator=(const Audience&) = delete;

  void run(double warm_up_s, double duration_s) {
    const auto start_s = now_s();
    const auto measure_s = start_s + warm_up_s;
    const auto end_s = measure_s + duration_s;
    for (auto time_s = start_s; time_s < end_s; time_s = now_s()) {
      // All are there after half of the warm-up.
      const auto wanted = static_cast<double>(size_) * std::min(1.0, (time_s - start_s) / warm_up_s * 2);
      while (viewers_.size() < static_cast<std::size_t>(wanted)) add();
      if (!results_.measuring && time_s >= measure_s) begin(time_s);
      poll();
    }
    report(now_s() - results_.measuring_since_s);
  }

 private:
  void add() {
    const auto number = viewers_.size();
    viewers_.push_back(std::make_unique<Viewer>(address_, target_, loads_media_, results_));
    for (const auto channel : {Channel::playlist, Channel::media}) {
      epoll_event event{};
      event.events = EPOLLIN | EPOLLET;
      event.data.u64 = number * 2 + static_cast<std::uint64_t>(channel);
      epoll_ctl(poll_, EPOLL_CTL_ADD, viewers_[number]->descriptor(channel), &event);
    }
    if (!viewers_[number]->join()) lose(number);
  }

  void poll() {
    epoll_event events[256];
    const int count = epoll_wait(poll_, events, 256, 5);
    for (int i = 0; i < count; ++i) {
      const auto number = events[i].data.u64 / 2;
      const auto channel = static_cast<Channel>(events[i].data.u64 % 2);
      if (viewers_[number] && !viewers_[number]->readable(channel)) lose(number);
    }
  }

  void lose(std::size_t number) {
    viewers_[number].reset();
    ++results_.errors;
  }

  void begin(double time_s) {
    results_.measuring = true;
    results_.measuring_since_s = time_s;
    results_.playlists = results_.playlist_bytes = 0;
    std::puts("measuring");
    std::fflush(stdout);
  }

  void report(double seconds) {
    auto& sorted = results_.lateness_ms;
    std::sort(sorted.begin(), sorted.end());
    const auto at = [&](double share) {
      return sorted.empty()
                 ? 0
                 : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
    };
    std::printf(
        "{\"viewers\":%zu,\"lost\":%llu,\"seconds\":%.3f,\"playlists\":%llu,\"playlist_bytes\":%llu,"
        "\"parts\":%llu,\"part_bytes\":%llu,\"stalls\":%llu,\"lateness_ms\":{\"p50\":%.3f,\"p90\":%.3f,"
        "\"p99\":%.3f,\"max\":%.3f}}\n",
        size_, static_cast<unsigned long long>(results_.errors), seconds,
        static_cast<unsigned long long>(results_.playlists),
        static_cast<unsigned long long>(results_.playlist_bytes),
        static_cast<unsigned long long>(results_.parts), static_cast<unsigned long long>(results_.part_bytes),
        static_cast<unsigned long long>(results_.stalls), at(0.5), at(0.9), at(0.99), at(1));
  }

  const sockaddr_in address_;
  const std::string target_;
  const bool loads_media_;
  const std::size_t size_;
  const int poll_;
  std::vector<std::unique_ptr<Viewer>> viewers_;
  Results results_;
};

}  // namespace

int main(int count, char** words) {
  const bool no_media = count > 1 && std::string_view(words[1]) == "--no-media";
  if (no_media) --count, ++words;
  if (count != 6) {
    std::fprintf(
        stderr, "usage: ll_viewers [--no-media] VIEWERS WARM-UP-SECONDS SECONDS HOST:PORT PLAYLIST-TARGET\n");
    return 2;
  }
  try {
    Audience(bench::address_of(words[4]), words[5], !no_media, std::strtoul(words[1], nullptr, 10))
        .run(std::atof(words[2]), std::atof(words[3]));
  } catch (const std::exception& e) {
    std::fprintf(stderr, "ll_viewers: %s\n", e.what());
    return 1;
  }
  return 0;
}
