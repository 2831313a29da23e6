#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/ingest/admissions.hpp"
#include "server/ingest/ingest.hpp"
#include "server/ingest/log_gate.hpp"
#include "server/ingest/rtmp/dialogue.hpp"
#include "server/ingest/rtmp/options.hpp"

namespace lookback::server::rtmp {

/// What all sessions of a listener share. Thread-safe; holds no Asio object.
struct Common {
  Common(Options all, Ingest& streams)
      : options(std::move(all)),
        ingest(streams),
        admissions(
            std::make_shared<Admissions>(options.max_connections, options.max_connections_per_address)) {}

  const Options options;
  Ingest& ingest;
  const std::shared_ptr<Admissions> admissions;
  LogGate log_gate{20, std::chrono::seconds(1)};
};

/// One connection: a coroutine that reads, lets the dialogue speak, sends its answers before it reads on (so
/// no queue of answers can grow), and hands all media of one read to the publication at once. A timer cuts
/// what takes too long. Belongs to its io_context's only thread; kept alive by `run`.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(boost::asio::ip::tcp::socket socket, boost::asio::ip::tcp::endpoint peer,
          std::shared_ptr<Common> common, Admissions::Ticket ticket);

  /// The whole life of the connection; ends by itself.
  boost::asio::awaitable<void> run();
  /// Ends it from outside, for instance at shut-down. On its own thread. Idempotent.
  void end(boost::system::error_code error, std::string why);
  /// After `run` has thrown, which only a lack of memory makes it do.
  void abandon(const std::string& why);

 private:
  using Clock = std::chrono::steady_clock;
  enum class Phase { negotiating, publishing, leaving, over };

  /// Why a session is over; no error: the peer left or stopped by itself.
  struct End {
    boost::system::error_code error;
    std::string why;
  };

  boost::asio::awaitable<End> serve();
  Step take(ByteSpan& input, std::optional<End>& over);
  boost::asio::awaitable<std::optional<End>> admit();
  boost::asio::awaitable<std::optional<End>> send_replies();
  boost::asio::awaitable<void> leave(bool peer_closes);
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

  boost::asio::ip::tcp::socket socket_;
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
