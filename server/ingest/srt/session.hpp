#pragma once
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/ingest/srt/doorkeeper.hpp"
#include "server/ingest/ts/demuxer.hpp"

namespace lookback::server::srt {

/// One publisher's connection without its socket, which belongs to the listener's thread: that one hands
/// datagrams over in batches (`offer`) and says when the peer is gone (`disconnected`); the session takes
/// them apart on its own executor, one of the network threads, and pushes what they hold into the
/// publication. `over` tells the listener to close the socket. What has no other remark belongs to the
/// executor.
class Session : public std::enable_shared_from_this<Session> {
 public:
  /// `executor`: of an io_context with one thread, which does not run dry before the session has concluded.
  Session(boost::asio::any_io_executor executor, Guest guest, std::shared_ptr<Common> common);

  // --- for the listener's thread ---
  /// Asks for the publication.
  void start();
  /// Datagrams in the order of the stream. What is above the bound ends the session.
  void offer(std::vector<std::byte> datagrams);
  void report(const LinkStats& stats);
  /// The socket is closed. The last call.
  void disconnected(std::string why);
  /// Whether the socket is to be closed.
  bool over() const { return over_; }
  /// Ends it from outside, for instance at shut-down. Any thread. Idempotent.
  void end(boost::system::error_code error, std::string why);

 private:
  using Clock = std::chrono::steady_clock;
  /// Why a session is over; no error: the peer left.
  struct End {
    boost::system::error_code error;
    std::string why;
  };

  boost::asio::awaitable<void> admit();
  void admitted();
  void take(std::vector<std::byte> datagrams);
  void read(ByteSpan bytes);
  void push(std::vector<IngestEvent> events);
  void tell_notes();
  void publication_ended();
  void end_here(boost::system::error_code error, std::string why);
  void conclude();
  void log_end() const;

  const boost::asio::any_io_executor executor_;
  std::optional<boost::asio::executor_work_guard<boost::asio::any_io_executor>> work_;
  const std::shared_ptr<Common> common_;
  Guest guest_;
  const std::string peer_, stream_;
  const Clock::time_point since_ = Clock::now();
  std::atomic<bool> over_{false};
  std::atomic<std::size_t> queued_bytes_{0};  ///< offered, not yet taken apart
  ts::Demuxer demuxer_;
  std::shared_ptr<Publication> publication_;
  std::vector<std::vector<std::byte>> waiting_;  ///< came before the publication was granted
  std::uint64_t bytes_ = 0;
  bool has_media_ = false, asking_ = true, publication_over_ = false, gone_ = false, concluded_ = false;
  std::optional<End> end_;
  LinkStats link_;
};

}  // namespace lookback::server::srt
