#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/base/result.hpp"

/// What a request asks for, read from its request-target (RFC 9112 3.2). Nothing here becomes a file name,
/// and every character that goes on into a playlist or a header has passed an allow-list. No Asio: fuzzed.
namespace lookback::server::http {

/// The delivery directives of rfc8216bis 6.2.5.
struct Directives {
  std::optional<std::uint64_t> msn;   ///< `_HLS_msn`
  std::optional<std::uint32_t> part;  ///< `_HLS_part`
  bool skip = false;                  ///< `_HLS_skip=YES` or `v2`; unknown values are ignored
  /// One of them is repeated, is not a decimal integer that fits, or lacks `_HLS_msn`: names it, for the
  /// problem document. Empty: all is well. Not an error of parsing, as an ended playlist ignores directives.
  std::string_view wrong;
};

/// A parsed target. Owns its text, so that it lives on while its request's buffer is used again.
class Target {
 public:
  static constexpr std::size_t max_components = 8;

  /// The decoded path: "/live/news/v0.m3u8".
  std::string_view path() const { return path_; }
  /// "live", "news", "v0.m3u8": 1 to `max_components`, each of [A-Za-z0-9._-]+ without a leading dot. None:
  /// "/".
  std::size_t components() const { return count_; }
  std::string_view component(std::size_t i) const;
  /// The first `count` components, joined: "live/news".
  std::string_view prefix(std::size_t count) const;
  /// The last component; empty for "/".
  std::string_view leaf() const { return count_ == 0 ? std::string_view{} : component(count_ - 1); }

  const Directives& directives() const { return directives_; }
  /// The parameters that are not ours, as they came and in their order: "token=x&lang=de". Only characters
  /// that RFC 3986 allows in a query.
  std::string_view foreign() const { return foreign_; }
  /// The parameters that are ours but no directives, likewise: "start=now-90s&end=now".
  std::string_view own() const { return own_; }
  /// The whole query as it came, directives included.
  std::string_view query() const { return query_; }

 private:
  friend Result<Target> parse_target(std::string_view text, std::size_t max_query_bytes);
  Result<void> take_path(std::string_view encoded);
  Result<void> take_query(std::string_view encoded, std::size_t max_query_bytes);
  void take_directive(std::string_view name, std::string_view value);

  std::string path_, query_, foreign_, own_;
  std::array<std::uint16_t, max_components + 1>
      starts_{};  ///< of each component in `path_`; one past the end last
  std::size_t count_ = 0;
  Directives directives_;
  unsigned seen_ = 0;  ///< bit set of the directives met so far
};

/// Why a target is refused.
enum class TargetErrc {
  malformed = 1,   ///< not a request-target of origin or absolute form: 400
  no_such_path,    ///< well formed, but no resource can have this path: 404
  query_too_long,  ///< more than `max_query_bytes` of parameters that are not ours: 400
};

boost::system::error_code make_error_code(TargetErrc e);

/// Reads an origin-form or absolute-form target. Percent-encoding in the path is undone once. Pure.
/// Errors: those of TargetErrc. `text` must be shorter than 64 KiB.
Result<Target> parse_target(std::string_view text, std::size_t max_query_bytes);

}  // namespace lookback::server::http

template <>
struct boost::system::is_error_code_enum<lookback::server::http::TargetErrc> : std::true_type {};
