#include "server/http/pieced_transmission.hpp"

#include <sys/sendfile.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace lookback::server::http {
namespace {

constexpr std::uint64_t max_turn = 2u << 20;  // for one connection before others run
// Opened and warm, ahead of the socket: little for who wants little, more with each step for a download, as
// each step waits for two threads to get their turn.
constexpr std::uint64_t first_ahead = 2u << 20, most_ahead = 64u << 20;
constexpr std::size_t max_opened = 512;

SendStep failure() {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return SendStep::blocked;
  const bool socket_gone = errno == EPIPE || errno == ECONNRESET || errno == ETIMEDOUT || errno == ENOTCONN;
  return socket_gone ? SendStep::failed : SendStep::damaged;
}

}  // namespace

void PiecedTransmission::start(PiecedBody body) {
  body_ = std::move(body);
  position_ = body_.offset;
  end_ = body_.offset + body_.size;
  opened_.clear();
  next_ = 0;
  sent_ = 0;
  ahead_ = first_ahead;
  damaged_ = false;
  if (!body_.pieces) return;
  const auto& ends = body_.pieces->ends;
  next_ = static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), position_) - ends.begin());
  opened_until_ = std::max<std::uint64_t>(position_, body_.pieces->head.size());
}

void PiecedTransmission::took(std::uint64_t bytes) {
  position_ += bytes;
  sent_ += bytes;
  turn_ += bytes;
}

SendStep PiecedTransmission::advance(int socket) {
  turn_ = 0;
  while (position_ < end_) {
    if (turn_ >= max_turn) return SendStep::pause;
    if (damaged_) return SendStep::damaged;
    auto step = SendStep::done;
    if (position_ < body_.pieces->head.size()) {
      step = send_head(socket);
    } else if (opened_.empty()) {
      return SendStep::cold;
    } else {
      step = send_file(socket, opened_.front());
      if (position_ == opened_.front().end) opened_.erase(opened_.begin());
    }
    if (step != SendStep::done) return step;
  }
  return SendStep::done;
}

SendStep PiecedTransmission::send_head(int socket) {
  const auto& head = body_.pieces->head.bytes;
  const auto end = std::min<std::uint64_t>(end_, head.size());
  const int more = end < end_ ? MSG_MORE : 0;
  const auto count = ::send(socket, head.data() + position_, end - position_, MSG_NOSIGNAL | more);
  if (count < 0) return errno == EINTR ? SendStep::done : failure();
  took(static_cast<std::uint64_t>(count));
  return SendStep::done;
}

SendStep PiecedTransmission::send_file(int socket, Opened& piece) {
  const auto left = std::min<std::uint64_t>(piece.end - position_, max_turn);
  auto offset = static_cast<off_t>(piece.file.offset + piece.file.size - (piece.end - position_));
  const auto count =
      ::sendfile(socket, piece.file.file->descriptor(), &offset, static_cast<std::size_t>(left));
  if (count < 0) return errno == EINTR ? SendStep::done : failure();
  if (count == 0) return SendStep::damaged;
  took(static_cast<std::uint64_t>(count));
  return SendStep::done;
}

void PiecedTransmission::prefetch() {
  const auto until = std::min(end_, position_ + ahead_);
  ahead_ = std::min(2 * ahead_, most_ahead);
  while (opened_until_ < until && opened_.size() < max_opened) {
    if (open_next()) continue;
    damaged_ = opened_.empty();  // else what comes before it can still be sent
    return;
  }
}

/// Opens one more piece, or of the last the part that is asked for.
bool PiecedTransmission::open_next() {
  auto file = body_.pieces->open(next_);
  if (!file) return false;
  const auto piece_end = body_.pieces->ends[next_];
  const auto skipped = file->size - (piece_end - opened_until_);
  file->offset += skipped;
  file->size = std::min(piece_end, end_) - opened_until_;
  if (!file->file->is_cached(file->offset, file->size)) file->file->prefetch(file->offset, file->size);
  opened_until_ += file->size;
  opened_.push_back({std::move(*file), opened_until_});
  ++next_;
  return true;
}

}  // namespace lookback::server::http
