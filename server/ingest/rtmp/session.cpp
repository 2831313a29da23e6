#include "server/ingest/rtmp/session.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "server/ingest/peer.hpp"
#include "server/ingest/rtmp/stream_session.hpp"

namespace lookback::server::rtmp {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// How long a peer may take to read the last answer and close: a socket closed with unread input resets the
/// connection, and the answer would be lost.
constexpr std::chrono::seconds leave_time{2};

/// Fills the handshake; differs between connections and hides nothing.
std::uint64_t handshake_seed(const tcp::endpoint& peer) {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count()) ^
         peer.port();
}

}  // namespace

template <class Stream>
StreamSession<Stream>::StreamSession(std::unique_ptr<Stream> stream, tcp::endpoint peer,
                                     std::shared_ptr<Common> common, Admissions::Ticket ticket)
    : stream_(std::move(stream)),
      timer_(stream_->socket().get_executor()),
      common_(std::move(common)),
      ticket_(std::move(ticket)),
      peer_(peer_name(plain_address(peer.address()), peer.port())),
      from_loopback_(plain_address(peer.address()).is_loopback()),
      accepted_(Clock::now()),
      buffer_(common_->options.read_buffer_bytes),
      dialogue_(common_->options, handshake_seed(peer)),
      deadline_(accepted_ + common_->options.handshake_timeout) {}

template <class Stream>
asio::awaitable<void> StreamSession<Stream>::run() {
  watch();
  auto end = co_await open();
  if (!end) end = co_await serve();
  conclude(*end);
  co_await leave(!end->error);
  finish();
}

/// TLS comes first. Not a word to a peer that fails at it: it would be noise on the port.
template <class Stream>
asio::awaitable<std::optional<typename StreamSession<Stream>::End>> StreamSession<Stream>::open() {
  if constexpr (std::is_same_v<Stream, TlsStream>) {
    const auto [ec] = co_await stream_->layer.async_handshake(asio::ssl::stream_base::server,
                                                              asio::as_tuple(asio::use_awaitable));
    if (end_) co_return *end_;
    if (ec) co_return End{Errc::bad_handshake, "no TLS connection: " + ec.message()};
  }
  co_return std::nullopt;
}

/// Any byte wakes it. SO_RCVLOWAT would let small chunks wait for the next picture and save half of the
/// wake-ups, but what is not read is acknowledged 40 ms late, and until then a sender with Nagle's algorithm
/// (libavformat) holds back the frame behind it.
template <class Stream>
asio::awaitable<typename StreamSession<Stream>::End> StreamSession<Stream>::serve() {
  for (;;) {
    const auto [ec, size] =
        co_await stream_->layer.async_read_some(asio::buffer(buffer_), asio::as_tuple(asio::use_awaitable));
    if (end_) co_return *end_;
    if (ec == asio::error::eof) co_return End{{}, "the peer closed the connection"};
    if (ec) co_return End{{}, "the connection broke: " + ec.message()};
    if (phase_ == Phase::publishing) set_deadline(phase_deadline());
    auto input = ByteSpan(buffer_).first(size);
    std::optional<End> over;
    while (take(input, over) == Step::publish && !over) over = co_await admit();
    if (!over && dialogue_.has_replies()) over = co_await send_replies();
    if (over) co_return std::move(*over);
  }
}

/// Takes all that one read has brought, or as much as comes before a decision. Not a coroutine: it runs for
/// every frame.
template <class Stream>
Step StreamSession<Stream>::take(ByteSpan& input, std::optional<End>& over) {
  const auto step = dialogue_.feed(input);
  const bool pushed = push_events();
  if (!step) {
    over = End{step.error(), dialogue_.describe(step.error())};
  } else if (!pushed) {
    over = publication_end();
  } else if (*step == Step::ended) {
    over = End{{}, dialogue_.commands().end_reason()};
  }
  return step ? *step : Step::ended;
}

template <class Stream>
asio::awaitable<std::optional<typename StreamSession<Stream>::End>> StreamSession<Stream>::admit() {
  const auto& target = dialogue_.commands().target();
  PublishRequest request{.stream = target.stream,
                         .key = target.key,
                         .peer = peer_,
                         .from_loopback = from_loopback_,
                         .protocol = std::string(Stream::protocol),
                         .encoder = dialogue_.commands().encoder(),
                         .backup = target.backup,
                         .rendition = target.rendition};
  asio::any_io_executor executor = stream_->socket().get_executor();
  std::function<void()> on_end = [weak = this->weak_from_this()] {
    if (const auto self = weak.lock()) self->publication_ended();
  };
  auto admitted =
      co_await common_->ingest.publish(std::move(request), std::move(executor), std::move(on_end));
  if (!admitted) {
    const auto answer = refusal(admitted.error());
    dialogue_.refuse_publish(answer);
    co_return End{admitted.error(), admitted.error().message()};
  }
  publication_ = std::move(*admitted);
  if (publication_over_) co_return publication_end();
  if (end_) co_return *end_;  // the time was up, or the server stopped, while the stream decided
  dialogue_.accept_publish();
  published_ = Clock::now();
  phase_ = Phase::publishing;
  set_deadline(phase_deadline());
  spdlog::info("{}: {} publishes {}{}{} with {}", Stream::protocol, peer_, target.stream,
               target.rendition.empty() ? "" : "@", target.rendition, dialogue_.commands().encoder());
  co_return std::nullopt;
}

template <class Stream>
asio::awaitable<std::optional<typename StreamSession<Stream>::End>> StreamSession<Stream>::send_replies() {
  const auto replies = dialogue_.take_replies();
  writing_ = true;
  set_deadline(std::min(phase_deadline(), Clock::now() + common_->options.write_timeout));
  const auto [ec, size] =
      co_await asio::async_write(stream_->layer, asio::buffer(replies), asio::as_tuple(asio::use_awaitable));
  writing_ = false;
  write_failed_ = bool(ec);
  set_deadline(phase_deadline());
  if (end_) co_return *end_;
  if (ec) co_return End{{}, "the connection broke: " + ec.message()};
  co_return std::nullopt;
}

/// The last answer, then an orderly close, which is the peer's to begin when it ended the publication itself:
/// GStreamer reports an error when the server is quicker. A peer that got no answer (noise on the port) is
/// cut at once.
template <class Stream>
asio::awaitable<void> StreamSession<Stream>::leave(bool peer_closes) {
  phase_ = Phase::leaving;
  const auto replies = dialogue_.take_replies();
  error_code ignored;
  if (!replies.empty() && !write_failed_) {
    set_deadline(Clock::now() + leave_time);
    const auto [ec, size] = co_await asio::async_write(stream_->layer, asio::buffer(replies),
                                                       asio::as_tuple(asio::use_awaitable));
    if (!ec && !peer_closes) co_await close_sending();
    for (auto failed = ec; !failed;) {
      const auto [read, count] =
          co_await stream_->layer.async_read_some(asio::buffer(buffer_), asio::as_tuple(asio::use_awaitable));
      failed = read;
    }
  }
  stream_->socket().close(ignored);
}

/// In TLS with a word: a peer that only sees the end of the connection takes what it has heard for cut off
/// (RFC 8446 6.1).
template <class Stream>
asio::awaitable<void> StreamSession<Stream>::close_sending() {
  if constexpr (std::is_same_v<Stream, TlsStream>) {
    (void)co_await stream_->layer.async_shutdown(asio::as_tuple(asio::use_awaitable));
  }
  error_code ignored;
  stream_->socket().shutdown(tcp::socket::shutdown_send, ignored);
}

/// False: the publication takes nothing any more.
template <class Stream>
bool StreamSession<Stream>::push_events() {
  auto events = dialogue_.take_events();
  if (events.empty()) return true;
  return publication_->push(std::move(events));
}

template <class Stream>
typename StreamSession<Stream>::End StreamSession<Stream>::publication_end() const {
  return {Errc::too_slow, publication_->reason()};
}

/// May come before `admit` has resumed with the publication.
template <class Stream>
void StreamSession<Stream>::publication_ended() {
  publication_over_ = true;
  if (!publication_) return;
  const auto over = publication_end();
  end(over.error, over.why);
}

template <class Stream>
void StreamSession<Stream>::end(error_code error, std::string why) {
  if (end_ || phase_ >= Phase::leaving) return;
  end_ = End{error, std::move(why)};
  error_code ignored;
  stream_->socket().cancel(ignored);
}

/// Says once, to the peer, the stream and the log, how it ended.
template <class Stream>
void StreamSession<Stream>::conclude(const End& end) {
  const auto stream = loggable_stream(dialogue_.commands().target().stream);
  if (!publication_) {
    if (end.error) log_refusal(stream, end.why);
    return;
  }
  publication_->close(end.why);
  if (phase_ != Phase::publishing) return log_refusal(stream, end.why);
  if (end.error == Errc::shutting_down) dialogue_.request_reconnect();
  if (end.error) dialogue_.end_publish({"NetStream.Publish.Failed", end.why});
  const std::chrono::duration<double> duration = Clock::now() - published_;
  const auto& counts = dialogue_.counts();
  const auto& dropped = dialogue_.dropped();
  spdlog::info(
      "{}: {} published {} for {:.1f} s ({} bytes, {} video and {} audio frames; dropped {} empty, {} "
      "damaged, {} before "
      "their configuration; {} bad metadata; encoder {}): {}",
      Stream::protocol, peer_, stream, duration.count(), counts.bytes, counts.video_frames,
      counts.audio_frames, dropped.empty, dropped.damaged, dropped.unconfigured, counts.bad_metadata,
      dialogue_.encoder().empty() ? dialogue_.commands().encoder() : dialogue_.encoder(), end.why);
}

template <class Stream>
void StreamSession<Stream>::abandon(const std::string& why) {
  spdlog::error("{}: {} is cut: {}", Stream::protocol, peer_, why);
  finish();
  if (publication_) publication_->close(why);
}

template <class Stream>
void StreamSession<Stream>::log_refusal(const std::string& stream, const std::string& why) {
  const auto held_back = common_->log_gate.pass(Clock::now());
  if (!held_back) return;
  spdlog::warn("{}: {} refused{}{}: {}{}", Stream::protocol, peer_, stream.empty() ? "" : ", stream ", stream,
               why, *held_back == 0 ? "" : fmt::format(" ({} more such lines held back)", *held_back));
}

template <class Stream>
typename StreamSession<Stream>::Clock::time_point StreamSession<Stream>::phase_deadline() const {
  if (phase_ == Phase::negotiating) return accepted_ + common_->options.handshake_timeout;
  return Clock::now() + common_->options.idle_timeout;
}

/// A later deadline needs no new wait: the timer looks again when it fires.
template <class Stream>
void StreamSession<Stream>::set_deadline(Clock::time_point deadline) {
  deadline_ = deadline;
  if (deadline_ < timer_.expiry()) watch();
}

template <class Stream>
void StreamSession<Stream>::watch() {
  timer_.expires_at(deadline_);
  timer_.async_wait([self = this->shared_from_this()](error_code ec) {
    if (ec || self->phase_ == Phase::over) return;
    if (Clock::now() >= self->deadline_) self->expire();
    self->watch();
  });
}

template <class Stream>
void StreamSession<Stream>::expire() {
  deadline_ = Clock::now() + leave_time;
  // Told before, and still here: in TLS a cancellation may meet a read that has just begun anew.
  if (phase_ == Phase::leaving || end_) {
    error_code ignored;
    stream_->socket().close(ignored);
  } else if (writing_) {
    end(Errc::too_slow, "the peer does not read the answers");
  } else {
    end(Errc::timed_out, phase_ == Phase::negotiating ? "nothing was published within the handshake timeout"
                                                      : "no data came within the idle timeout");
  }
}

template <class Stream>
void StreamSession<Stream>::finish() {
  phase_ = Phase::over;
  timer_.cancel();
}

template class StreamSession<PlainStream>;
template class StreamSession<TlsStream>;

std::shared_ptr<Session> make_session(tcp::socket socket, tcp::endpoint peer, std::shared_ptr<Common> common,
                                      Admissions::Ticket ticket) {
  if (common->tls) {
    auto stream = std::make_unique<TlsStream>(std::move(socket), common->tls->context());
    return std::make_shared<StreamSession<TlsStream>>(std::move(stream), peer, std::move(common),
                                                      std::move(ticket));
  }
  auto stream = std::make_unique<PlainStream>(std::move(socket));
  return std::make_shared<StreamSession<PlainStream>>(std::move(stream), peer, std::move(common),
                                                      std::move(ticket));
}

}  // namespace lookback::server::rtmp
