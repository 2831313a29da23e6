#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "server/errc.hpp"
#include "server/ingest/event.hpp"
#include "server/ingest/link_stats.hpp"
#include "store/base/result.hpp"

/// Where ingest protocols meet streams: a protocol session asks `Ingest::publish` once, then pushes
/// frames into the `Publication` it got until either side ends it.
namespace lookback::server {

/// Who wants to publish what.
struct PublishRequest {
  std::string stream;     ///< "live/news": checked with `check_stream_name` by `publish`
  std::string key = {};   ///< secret that came with it; may be empty
  std::string peer = {};  ///< "192.0.2.7:50412", for logs
  bool from_loopback = false;
  std::string protocol = {};   ///< "rtmp", "srt"
  std::string encoder = {};    ///< what the peer calls itself, for logs; may be empty
  bool backup = false;         ///< stands by beside the primary publisher, and takes over when that is gone
  bool configured = false;     ///< the configuration pulls it: no key is asked
  std::string rendition = {};  ///< of NAME@RENDITION: one connection of several; empty: of NAME
};

/// One publisher's hold on a stream. Thread-safe; work is posted to the stream's strand.
class Publication {
 public:
  virtual ~Publication() = default;
  /// Takes what one socket read brought. False: the publication has ended (taken over, shut down, or the
  /// stream is further behind than its bound): end the session; `reason()` says why.
  virtual bool push(std::vector<IngestEvent> events) = 0;
  /// The publisher leaves: the stream waits for the grace time. Idempotent.
  virtual void close(std::string why) = 0;
  virtual std::string reason() const = 0;
  /// What the protocol measures of the way here, about once a second, for those who look at the stream.
  virtual void report(const LinkStats&) {}
};

/// Admits publishers. Thread-safe.
class Ingest {
 public:
  virtual ~Ingest() = default;
  /// Decides on a publisher. `on_end` is called once, on `executor`, when the stream ends the publication.
  /// Errors: bad_stream_name, reserved_stream_name, wrong_key, already_publishing, already_backed_up,
  /// too_many_connections (of one stream), too_many_streams, shutting_down, store_failed.
  virtual boost::asio::awaitable<Result<std::shared_ptr<Publication>>> publish(
      PublishRequest request, boost::asio::any_io_executor executor, std::function<void()> on_end) = 0;
};

/// What a publisher has to be told or held to before its connection stands.
struct PublishTerms {
  std::string srt_passphrase;  ///< that SRT must be encrypted with; empty: it must not be
};

/// Decides on publishers where nobody can wait: in the handshake. Thread-safe.
class PublishGuard {
 public:
  virtual ~PublishGuard() = default;
  /// Whether `Ingest::publish` would take this publisher now, as far as memory tells. Returns at once.
  /// Errors: those of `Ingest::publish` but store_failed.
  virtual Result<PublishTerms> check(const PublishRequest& request) const = 0;
};

/// One part of a stream's name, or a rendition's name: [A-Za-z0-9._-]{1,64}, not starting with a dot.
bool is_name_part(std::string_view text);

/// Up to 3 parts of [A-Za-z0-9._-]{1,64}, none starting with a dot, the first not a reserved word.
/// Errors: bad_stream_name, reserved_stream_name.
Result<void> check_stream_name(std::string_view name);

}  // namespace lookback::server
