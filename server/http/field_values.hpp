#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

/// The values of the request fields that decide what a response looks like. Pure.
namespace lookback::server::http {

/// Whether `etag` (quoted, strong) is in the list of an If-None-Match: "*" or any weakly equal tag
/// (RFC 9110 13.1.2). False for an empty or broken list.
bool if_none_match(std::string_view list, std::string_view etag);

/// Whether a Range may be honoured: no If-Range, or exactly this strong tag (RFC 9110 13.1.5). We send no
/// Last-Modified, so a date never matches.
bool if_range(std::string_view value, std::string_view etag);

/// Whether gzip may be sent: named with a weight above 0, or "*" is and gzip is not named
/// (RFC 9110 12.5.3).
bool accepts_gzip(std::string_view accept_encoding);

struct ByteRange {
  enum class Kind {
    whole,          ///< no Range, not one range of bytes, or not understood: 200
    part,           ///< 206
    unsatisfiable,  ///< 416
  } kind = Kind::whole;
  std::uint64_t offset = 0, size = 0;
};

/// Reads a Range field for a representation of `size` bytes (RFC 9110 14.2). Several ranges are answered
/// whole: no player asks for them, and they are a known way to make a server work.
ByteRange parse_range(std::string_view value, std::uint64_t size);

}  // namespace lookback::server::http
