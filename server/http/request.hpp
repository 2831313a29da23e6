#pragma once
#include <boost/beast/http/basic_parser.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// One request's head: where it ends in a connection's buffer, and what this server wants to know of it.
/// Beast checks the grammar; what Beast lets pass for the sake of old peers (obsolete folding, bare LF
/// between requests, repeated Content-Length) is refused here, because a proxy in front may read it
/// differently (RFC 9112 11.2, request smuggling).
namespace lookback::server::http {

enum class Method { get, head, options, post, put, patch, remove, other };

/// What a request's head says. Values are copies: reused between the requests of a connection, so that
/// they cost no allocation once they have grown.
struct Request {
  Method method = Method::other;
  bool keep_alive = false;
  bool expects_continue = false;
  std::string target;
  std::string if_none_match, if_range, range, accept_encoding;
  // What the control API wants to know besides.
  std::string host, origin, authorization, content_type, if_match;
  bool forwarded = false;  ///< a proxy has passed it on, and says so
  std::string body;        ///< of a request that `takes_body`

  void clear();
  /// Whether its path is below /api/.
  bool is_api() const;
  /// Whether its body is read and kept: it changes something of the control API.
  bool takes_body() const;
};

/// Looks for the end of a head in bytes that come piece by piece, and checks the bytes on the way.
class HeadScanner {
 public:
  enum class State {
    incomplete,
    complete,   ///< `size()` is the length of the head with its empty line
    malformed,  ///< a bare CR or LF, a control character, a folded field, or too many empty lines before
    too_long_target,
    too_long,
  };
  HeadScanner(std::size_t max_head_bytes, std::size_t max_target_bytes)
      : max_head_bytes_(max_head_bytes), max_target_bytes_(max_target_bytes) {}

  /// `bytes` starts where it did at the last call and may have grown.
  State scan(std::string_view bytes);
  /// Empty lines before the request line (RFC 9112 2.2).
  std::size_t skipped() const { return start_; }
  std::size_t size() const { return position_; }
  void reset() { position_ = start_ = line_ = 0; }

 private:
  State end_line(std::string_view bytes);

  std::size_t max_head_bytes_, max_target_bytes_;
  std::size_t position_ = 0;  ///< of the next byte to look at
  std::size_t start_ = 0;     ///< of the request line
  std::size_t line_ = 0;      ///< start of the current line
};

/// Beast's parser without its map of fields: keeps the few that matter and counts those that may stand only
/// once. One object per request.
class RequestParser : public boost::beast::http::basic_parser<true> {
 public:
  /// Fills `request`. A body above its bound is refused as soon as it is declared: `max_kept_bytes` for one
  /// that is kept (`Request::takes_body`), `max_dropped_bytes` for one that nobody wants.
  RequestParser(Request& request, std::size_t max_dropped_bytes, std::size_t max_kept_bytes);

  /// The status to answer with, by what `put` said; 0: go on.
  static unsigned refusal(const boost::system::error_code& ec);

 private:
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;
  using field = boost::beast::http::field;

  void on_request_impl(boost::beast::http::verb method, string_view method_text, string_view target,
                       int version, error_code& ec) override;
  void on_field_impl(field name, string_view name_text, string_view value, error_code& ec) override;
  void on_header_impl(error_code& ec) override;
  void on_response_impl(int, string_view, int, error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code& ec) override { ec = {}; }
  std::size_t on_body_impl(string_view body, error_code& ec) override { return keep(body, ec); }
  void on_chunk_header_impl(std::uint64_t, string_view, error_code& ec) override { ec = {}; }
  std::size_t on_chunk_body_impl(std::uint64_t, string_view body, error_code& ec) override {
    return keep(body, ec);
  }
  void on_finish_impl(error_code& ec) override { ec = {}; }

  std::size_t keep(string_view body, error_code& ec);

  Request& request_;
  const std::size_t max_kept_bytes_;
  int version_ = 11;
  unsigned hosts_ = 0, lengths_ = 0, codings_ = 0;
  bool bad_coding_ = false;
};

}  // namespace lookback::server::http
