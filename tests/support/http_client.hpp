#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A small blocking HTTP/1.1 client over POSIX sockets: it shares nothing with the server, and lets a test
/// see and send every byte.
namespace lookback::support {

using Clock = std::chrono::steady_clock;
using Fields = std::vector<std::pair<std::string, std::string>>;

struct Response {
  int status = 0;
  std::string reason;
  Fields fields;
  std::string body;  ///< the content as sent (chunked framing removed, codings kept)
  Clock::time_point asked, first_byte, complete;
  std::chrono::system_clock::time_point received;  ///< wall clock at `complete`

  /// Value of the field (case-insensitive name), several joined by ", "; empty when there is none.
  std::string field(std::string_view name) const;
  std::size_t count(std::string_view name) const;
  bool has(std::string_view name) const { return count(name) > 0; }
  /// `body` without its Content-Encoding (gzip). Throws std::runtime_error on a broken coding.
  std::string text() const;
  /// The seconds of Cache-Control: `max-age`; empty when not given.
  std::optional<std::uint64_t> max_age() const;
  std::chrono::milliseconds took() const;
};

/// One connection, kept alive between requests and opened anew when the peer closed it. Belongs to one
/// thread. Every failure (no connection, time-out, malformed response) throws std::runtime_error.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port, std::chrono::milliseconds limit = std::chrono::seconds(15));
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  Response get(const std::string& target, const Fields& fields = {}) {
    return request("GET", target, fields);
  }
  Response request(const std::string& method, const std::string& target, const Fields& fields = {},
                   const std::string& body = {});

  /// Raw access: connects when needed, sends exactly these bytes.
  void send(std::string_view bytes);
  Response receive(bool to_head = false);
  /// Whether a byte or the end comes within `limit`.
  bool readable(std::chrono::milliseconds limit);
  /// Whether the peer closes (or resets) within `limit`, whatever it sends before.
  bool closes_within(std::chrono::milliseconds limit);
  void close();
  /// How often a connection was opened.
  std::size_t connections() const { return connections_; }

 private:
  void connect();
  bool fill();
  std::string read_until(std::string_view end);
  std::string read_exactly(std::size_t count);
  void read_body(Response& response, bool to_head);
  void read_chunks(std::string& body);

  std::uint16_t port_;
  std::chrono::milliseconds limit_;
  int socket_ = -1;
  std::string buffer_;
  Clock::time_point deadline_;
  Clock::time_point first_byte_;
  std::size_t connections_ = 0;
};

/// Removes a gzip coding. Throws std::runtime_error on bad data.
std::string gunzip(std::string_view bytes);

}  // namespace lookback::support
