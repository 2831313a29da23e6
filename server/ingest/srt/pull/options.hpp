#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lookback::server::srt {

/// A remote listener that a stream is pulled from.
struct PullTarget {
  std::string stream;  ///< "live/news"
  std::string host;    ///< a name or an address, an IPv6 address without its brackets
  std::uint16_t port = 0;
  std::string stream_id;                             ///< SRTO_STREAMID; may be empty
  std::string passphrase;                            ///< empty: the connection is not encrypted
  std::optional<std::chrono::milliseconds> latency;  ///< empty: srt.latency

  bool operator==(const PullTarget&) const = default;
  /// "srt://host:port": without what may be secret.
  std::string address() const;
};

struct PullUrl {
  std::optional<PullTarget> target;  ///< without its stream; empty: the URL is wrong
  std::string complaint;             ///< then: what, and what to write instead; tells no secret
};

/// Reads "srt://HOST:PORT?streamid=ID&passphrase=SECRET&latency=MILLISECONDS", as srt-live-transmit takes it:
/// each parameter once, percent-decoded, in any order; `mode=caller` may stand there. Pure.
PullUrl parse_pull_url(std::string_view url);

}  // namespace lookback::server::srt
