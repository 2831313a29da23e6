#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/ingest/rtmp/dialogue.hpp"
#include "server/ingest/rtmp/session.hpp"

namespace lookback::server::rtmp {

/// RTMP as it is.
struct PlainStream {
  static constexpr std::string_view protocol = "rtmp";

  explicit PlainStream(boost::asio::ip::tcp::socket connected) : layer(std::move(connected)) {}
  boost::asio::ip::tcp::socket& socket() { return layer; }

  boost::asio::ip::tcp::socket layer;
};

/// RTMP over TLS.
struct TlsStream {
  static constexpr std::string_view protocol = "rtmps";

  TlsStream(boost::asio::ip::tcp::socket connected, TlsIdentity::Context used)
      : context(std::move(used)), layer(std::move(connected), *context) {}
  boost::asio::ip::tcp::socket& socket() { return layer.next_layer(); }

  const TlsIdentity::Context context;  ///< first: the layer refers to it
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> layer;
};

/// One connection: a coroutine that reads, lets the dialogue speak, sends its answers before it reads on (so
/// no queue of answers can grow), and hands all media of one read to the publication at once. A timer cuts
/// what takes too long. Belongs to its io_context's only thread; kept alive by `run`.
template <class Stream>
class StreamSession final : public Session, public std::enable_shared_from_this<StreamSession<Stream>> {
 public:
  StreamSession(std::unique_ptr<Stream> stream, boost::asio::ip::tcp::endpoint peer,
                std::shared_ptr<Common> common, Admissions::Ticket ticket);

  boost::asio::awaitable<void> run() override;
  void end(boost::system::error_code error, std::string why) override;
  void abandon(const std::string& why) override;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase { negotiating, publishing, leaving, over };

  /// Why a session is over; no error: the peer left or stopped by itself.
  struct End {
    boost::system::error_code error;
    std::string why;
  };

  boost::asio::awaitable<std::optional<End>> open();
  boost::asio::awaitable<End> serve();
  Step take(ByteSpan& input, std::optional<End>& over);
  boost::asio::awaitable<std::optional<End>> admit();
  boost::asio::awaitable<std::optional<End>> send_replies();
  boost::asio::awaitable<void> leave(bool peer_closes);
  boost::asio::awaitable<void> close_sending();
  bool push_events();
  End publication_end() const;
  void publication_ended();
  void conclude(const End& end);
  void log_refusal(const std::string& stream, const std::string& why);

  Clock::time_point phase_deadline() const;
  void set_deadline(Clock::time_point deadline);
  void watch();
  void expire();
  void finish();

  const std::unique_ptr<Stream> stream_;
  boost::asio::steady_timer timer_;
  const std::shared_ptr<Common> common_;
  const Admissions::Ticket ticket_;
  const std::string peer_;
  const bool from_loopback_;
  const Clock::time_point accepted_;
  Clock::time_point published_;
  std::vector<std::byte> buffer_;
  Dialogue dialogue_;
  std::shared_ptr<Publication> publication_;
  bool publication_over_ = false;
  std::optional<End> end_;  ///< set from outside of the coroutine: by `end` and the timer
  Phase phase_ = Phase::negotiating;
  bool writing_ = false;
  bool write_failed_ = false;  ///< half an answer may be out: nothing can follow it
  Clock::time_point deadline_;
};

}  // namespace lookback::server::rtmp
