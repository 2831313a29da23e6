#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "server/http/request.hpp"
#include "store/base/bytes.hpp"
#include "store/extent_file.hpp"

/// What is sent for a request: status, the few fields that differ between our responses, and a body that is
/// shared, static or still in a file. `finish_response` applies the request's conditions to it,
/// `format_head` writes the head.
namespace lookback::server::http {

/// How long caches may keep a response (RFC 9111 5.2.2).
struct Caching {
  enum class Kind { no_store, max_age, immutable } kind = Kind::no_store;
  std::uint32_t seconds = 0;

  static Caching for_seconds(std::uint32_t seconds) { return {Kind::max_age, seconds}; }
  /// Media and hashed assets: their names never mean other bytes.
  static Caching forever() { return {Kind::immutable, 14 * 24 * 3600}; }
};

struct FileBody {
  std::shared_ptr<const store::ExtentFile> file;
  std::uint64_t offset = 0, size = 0;
  std::uint64_t warm = 0;  ///< bytes from `offset` on that were just seen in the page cache
};

/// Nothing, static text, shared bytes, or a piece of an extent.
using Body = std::variant<std::monostate, std::string_view, Chain, FileBody>;

std::uint64_t size_of(const Body& body);

struct Response {
  unsigned status = 200;          ///< 0: the client has left, send nothing
  std::string_view content_type;  ///< static text
  std::string etag;               ///< quoted, strong; empty: none
  std::string location;           ///< for redirects
  Caching caching;
  bool varies = false;                              ///< Vary: Accept-Encoding
  bool gzip = false;                                ///< Content-Encoding: gzip
  bool ranges = false;                              ///< single ranges may be asked for
  bool page = false;                                ///< a page of ours: Content-Security-Policy
  unsigned retry_after_s = 0;                       ///< 0: none
  std::uint64_t range_offset = 0, range_total = 0;  ///< for 206 and 416
  Body body;

  void clear() { *this = Response{}; }
};

/// Applies If-None-Match, If-Range and Range to a 200. Only GET and HEAD come here.
void finish_response(const Request& request, Response& response);

/// Writes the status line and all fields to `out`, whose old content goes. `date_line` is a whole "Date:
/// ...\r\n".
void format_head(const Response& response, bool close, std::string_view date_line, std::string& out);

/// An RFC 9457 problem document. `detail` is our own text: it names the field, its limit and what to do, and
/// holds nothing of the request, no quotes and no control characters. 503 gets Retry-After.
Response problem(unsigned status, std::string_view detail);

/// The answer to a CORS preflight, and to OPTIONS in general.
Response preflight();

}  // namespace lookback::server::http
