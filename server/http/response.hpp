#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "server/http/pieced_body.hpp"
#include "server/http/request.hpp"
#include "store/base/bytes.hpp"

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

/// Nothing, static text, shared bytes, a piece of an extent, or many.
using Body = std::variant<std::monostate, std::string_view, Chain, FileBody, PiecedBody>;

std::uint64_t size_of(const Body& body);

struct Response {
  unsigned status = 200;          ///< 0: the client has left, send nothing
  std::string_view content_type;  ///< static text
  std::string etag;               ///< quoted, strong; empty: none
  std::string location;           ///< for redirects
  std::string file_name;          ///< to be saved under this name (RFC 6266); [A-Za-z0-9._-]; empty: shown
  Caching caching;
  bool varies = false;                              ///< Vary: Accept-Encoding
  bool gzip = false;                                ///< Content-Encoding: gzip
  bool ranges = false;                              ///< single ranges may be asked for
  bool page = false;                                ///< a page of ours: Content-Security-Policy
  bool shared = true;                               ///< pages of any origin may read it (CORS)
  bool preflight = false;                           ///< tells what may be sent from other origins
  bool authenticate = false;                        ///< WWW-Authenticate: Bearer (RFC 6750)
  std::string_view allow = "GET, HEAD, OPTIONS";    ///< methods of the resource, told in 405 and 204
  unsigned retry_after_s = 0;                       ///< 0: none
  std::uint64_t range_offset = 0, range_total = 0;  ///< for 206 and 416
  Body body;

  void clear() { *this = Response{}; }
};

/// Applies If-None-Match, If-Range and Range to the 200 of a GET or HEAD; others are left as they are.
void finish_response(const Request& request, Response& response);

/// Writes the status line and all fields to `out`, whose old content goes. `date_line` is a whole "Date:
/// ...\r\n".
void format_head(const Response& response, bool close, std::string_view date_line, std::string& out);

/// An RFC 9457 problem document. `detail` is our own text: it names the field, its limit and what to do, and
/// holds nothing of the request, no quotes and no control characters. 503 gets Retry-After.
Response problem(unsigned status, std::string_view detail);

/// The same with a text of any content, which is escaped, and `errors`: the fields in question, a JSON array
/// (empty: none).
Response problem_with(unsigned status, std::string_view detail, std::string_view errors);

/// The answer to a CORS preflight, and to OPTIONS in general.
Response preflight(bool api);

}  // namespace lookback::server::http
