#include "server/http/transmission.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace lookback::server::http {
namespace {

constexpr std::size_t max_pieces = 64;        // per sendmsg
constexpr std::size_t max_window = 1u << 20;  // of a file, asked for and sent at once
constexpr std::uint64_t max_turn = 2u << 20;  // for one connection before others run

// Given to one sendfile: with the head no more than the 17 pages that one socket buffer refers to. Where more
// are handed over at once, Linux sends the first and then, if BBR paces the connection, arms a timer for the
// second, even if that is due in half a microsecond: on a virtual machine twice the cost of the whole part.
constexpr std::uint64_t max_piece = 15u << 12;
constexpr std::uint64_t usual_packet_bytes = 1448;
constexpr std::uint64_t jumbo_packet_bytes = 9u << 10;  // above, no network: this machine talks to itself

/// Gathers the pieces behind the first `skip` bytes.
class Pieces {
 public:
  explicit Pieces(std::size_t skip) : skip_(skip) {}

  void add(const void* data, std::size_t size) {
    if (skip_ >= size) {
      skip_ -= size;
      return;
    }
    if (count_ == max_pieces) return;
    auto& piece = pieces_[count_++];
    piece.iov_base = const_cast<char*>(static_cast<const char*>(data)) + skip_;
    piece.iov_len = size - skip_;
    bytes_ += piece.iov_len;
    skip_ = 0;
  }
  bool full() const { return count_ == max_pieces; }
  iovec* data() { return pieces_.data(); }
  std::size_t count() const { return count_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::array<iovec, max_pieces> pieces_;
  std::size_t count_ = 0, bytes_ = 0, skip_;
};

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

}  // namespace

void Transmission::start(const std::string& head, Body body) {
  head_ = head;
  body_ = std::move(body);
  const bool in_files = std::holds_alternative<FileBody>(body_) || std::holds_alternative<PiecedBody>(body_);
  memory_size_ = head_.size() + (in_files ? 0 : size_of(body_));
  pieces_.start(std::holds_alternative<PiecedBody>(body_) ? std::get<PiecedBody>(body_) : PiecedBody{});
  memory_done_ = 0;
  file_done_ = sent_ = turn_ = 0;
  const auto* file = std::get_if<FileBody>(&body_);
  warm_until_ = file ? file->warm : 0;
}

Transmission::Step Transmission::advance(int socket) {
  turn_ = 0;
  if (memory_done_ < memory_size_) {
    if (const auto step = send_memory(socket); step != Step::done) return step;
  }
  if (const auto* file = std::get_if<FileBody>(&body_)) return send_file(socket, *file);
  return pieces_.advance(socket);
}

Transmission::Step Transmission::send_memory(int socket) {
  const bool file_follows =
      std::holds_alternative<FileBody>(body_) || std::holds_alternative<PiecedBody>(body_);
  while (memory_done_ < memory_size_) {
    if (turn_ >= max_turn) return Step::pause;
    Pieces pieces(memory_done_);
    pieces.add(head_.data(), head_.size());
    if (const auto* text = std::get_if<std::string_view>(&body_)) {
      pieces.add(text->data(), text->size());
    } else if (const auto* chain = std::get_if<Chain>(&body_)) {
      for (auto slice = chain->begin(); slice != chain->end() && !pieces.full(); ++slice) {
        pieces.add(slice->bytes.data(), slice->size());
      }
    }
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.count();
    const bool more = file_follows || memory_done_ + pieces.bytes() < memory_size_;
    const auto count = ::sendmsg(socket, &message, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (count < 0) {
      if (errno == EINTR) continue;
      return would_block() ? Step::blocked : Step::failed;
    }
    memory_done_ += static_cast<std::size_t>(count);
    sent_ += static_cast<std::uint64_t>(count);
    turn_ += static_cast<std::uint64_t>(count);
  }
  return Step::done;
}

std::size_t Transmission::window() const {
  const auto& file = std::get<FileBody>(body_);
  return static_cast<std::size_t>(std::min<std::uint64_t>(max_window, file.size - file_done_));
}

/// How much to give to the next sendfile. It ends with a whole packet, as what it leaves is sent at once.
std::size_t Transmission::piece(int socket) {
  if (packet_bytes_ == 0) {
    int mss = 0;
    socklen_t size = sizeof mss;
    const bool known = ::getsockopt(socket, IPPROTO_TCP, TCP_MAXSEG, &mss, &size) == 0 && mss > 0;
    packet_bytes_ = known ? static_cast<std::uint64_t>(mss) : usual_packet_bytes;
  }
  if (packet_bytes_ > jumbo_packet_bytes) return max_piece;
  return max_piece - (sent_ + max_piece) % packet_bytes_;
}

void Transmission::prefetch() {
  if (std::holds_alternative<PiecedBody>(body_)) return pieces_.prefetch();
  const auto& file = std::get<FileBody>(body_);
  file.file->prefetch(file.offset + file_done_, window());
}

Transmission::Step Transmission::send_file(int socket, const FileBody& file) {
  while (file_done_ < file.size) {
    if (turn_ >= max_turn) return Step::pause;
    if (file_done_ >= warm_until_) {
      if (!file.file->is_cached(file.offset + file_done_, window())) return Step::cold;
      warm_until_ = file_done_ + window();
    }
    auto position = static_cast<off_t>(file.offset + file_done_);
    const auto warm = static_cast<std::size_t>(std::min(warm_until_, file.size) - file_done_);
    const auto wanted = std::min(warm, piece(socket));
    const auto count = ::sendfile(socket, file.file->descriptor(), &position, wanted);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (would_block()) return Step::blocked;
      const bool socket_gone =
          errno == EPIPE || errno == ECONNRESET || errno == ETIMEDOUT || errno == ENOTCONN;
      return socket_gone ? Step::failed : Step::damaged;
    }
    if (count == 0) return Step::damaged;
    file_done_ += static_cast<std::uint64_t>(count);
    sent_ += static_cast<std::uint64_t>(count);
    turn_ += static_cast<std::uint64_t>(count);
  }
  return Step::done;
}

}  // namespace lookback::server::http
