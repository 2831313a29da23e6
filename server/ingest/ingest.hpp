#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "packager/media/sample.hpp"
#include "packager/media/track_format.hpp"
#include "server/errc.hpp"
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
  std::string protocol = {};  ///< "rtmp"
  std::string encoder = {};   ///< what the peer calls itself, for logs; may be empty
};

/// A new codec configuration of a track. The first of each kind announces the track.
struct FormatChange {
  packager::TrackFormat format;
};

/// One thing out of a source, in the order it came.
using IngestEvent = std::variant<FormatChange, packager::SourceSample>;

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
};

/// Admits publishers. Thread-safe.
class Ingest {
 public:
  virtual ~Ingest() = default;
  /// Decides on a publisher. `on_end` is called once, on `executor`, when the stream ends the publication.
  /// Errors: bad_stream_name, reserved_stream_name, wrong_key, already_publishing, too_many_streams,
  /// shutting_down, store_failed.
  virtual boost::asio::awaitable<Result<std::shared_ptr<Publication>>> publish(
      PublishRequest request, boost::asio::any_io_executor executor, std::function<void()> on_end) = 0;
};

/// Up to 3 parts of [A-Za-z0-9._-]{1,64}, none starting with a dot, the first not a reserved word.
/// Errors: bad_stream_name, reserved_stream_name.
Result<void> check_stream_name(std::string_view name);

}  // namespace lookback::server
