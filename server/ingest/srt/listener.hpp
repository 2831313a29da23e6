#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "server/ingest/ingest.hpp"
#include "server/ingest/srt/options.hpp"
#include "server/ingest/srt/pull/options.hpp"
#include "server/ingest/srt/pull/status.hpp"
#include "store/base/result.hpp"

/// SRT ingest: publishers in, nothing out; or we call remote listeners (`pull/puller`), and what they send is
/// a publisher's. The path of a packet: libsrt puts datagrams in order and asks for
/// lost ones again; one thread of the `Listener` takes what is ready from all connections and hands it in
/// batches to their `Session`s, each on a network thread; a `ts::Demuxer` makes samples of it, which the
/// session pushes into the `Publication` that `Ingest` granted. Who may come in is decided before, in
/// libsrt's handshake, by the `Doorkeeper`.
namespace lookback::server::srt {

/// Takes SRT connections on any number of ports, and calls others. `blocking`: for name resolution.
/// Thread-safe. Destroy it before the contexts; `ingest` and `guard` must outlive their run.
class Listener {
 public:
  /// Listens on `options.listen`; sessions are spread over the contexts, each of which one thread runs.
  /// Errors: invalid_argument and bad_stream_name (an entry of `listen`), and the system's, such as
  /// address_in_use.
  static Result<std::unique_ptr<Listener>> open(const std::vector<boost::asio::io_context*>& contexts,
                                                boost::asio::thread_pool& blocking, Options options,
                                                Ingest& ingest, const PublishGuard& guard);
  /// Waits for the thread.
  ~Listener();

  /// The real ports, in the order of `options.listen`.
  const std::vector<std::uint16_t>& ports() const { return ports_; }
  /// Connections now open, with those in their handshake.
  std::size_t connections() const;

  /// Which remote listeners to pull from, from now on; connections of those that go on are not touched.
  void pull(std::vector<PullTarget> targets);
  std::vector<PullStatus> pulls() const;

  /// Stops accepting and ends all sessions; returns at once. The contexts can run dry within 100 ms.
  /// Idempotent.
  void stop();

 private:
  class Thread;
  Listener();

  std::vector<std::uint16_t> ports_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace lookback::server::srt
