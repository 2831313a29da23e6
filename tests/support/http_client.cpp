#include "tests/support/http_client.hpp"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include "tests/support/playlist.hpp"

namespace lookback::support {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("http client: " + what); }

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// A response's head, without the empty line.
Response parse_head(std::string_view head) {
  Response response;
  const auto line_end = head.find("\r\n");
  const auto status_line = head.substr(0, line_end);
  if (!status_line.starts_with("HTTP/1.1 ") || status_line.size() < 12)
    fail("bad status line " + std::string(status_line));
  response.status = static_cast<int>(parse_integer(status_line.substr(9, 3)).value_or(0));
  if (response.status < 100) fail("bad status line " + std::string(status_line));
  if (status_line.size() > 13) response.reason = status_line.substr(13);
  for (auto at = line_end; at != std::string_view::npos && at + 2 < head.size();) {
    at += 2;
    const auto end = head.find("\r\n", at);
    const auto line = head.substr(at, end == std::string_view::npos ? end : end - at);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) fail("bad field line " + std::string(line));
    response.fields.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
    at = end;
  }
  return response;
}

}  // namespace

std::string Response::field(std::string_view name) const {
  std::string joined;
  for (const auto& [key, value] : fields) {
    if (lower(key) != lower(name)) continue;
    if (!joined.empty()) joined += ", ";
    joined += value;
  }
  return joined;
}

std::size_t Response::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(fields, [&](const auto& field) { return lower(field.first) == lower(name); }));
}

std::string Response::text() const {
  return lower(field("Content-Encoding")) == "gzip" ? gunzip(body) : body;
}

std::optional<std::uint64_t> Response::max_age() const {
  const auto value = lower(field("Cache-Control"));
  const auto found = value.find("max-age=");
  if (found == std::string::npos) return std::nullopt;
  const auto digits = std::string_view(value).substr(found + 8);
  return parse_integer(digits.substr(0, digits.find_first_not_of("0123456789")));
}

std::chrono::milliseconds Response::took() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(complete - asked);
}

HttpClient::HttpClient(std::uint16_t port, std::chrono::milliseconds limit) : port_(port), limit_(limit) {}
HttpClient::~HttpClient() { close(); }

void HttpClient::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  buffer_.clear();
}

void HttpClient::connect() {
  close();
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) fail("no socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port_);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const std::string why = std::strerror(errno);
    close();
    fail("connect: " + why);
  }
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ++connections_;
}

void HttpClient::send(std::string_view bytes) {
  if (socket_ < 0) connect();
  deadline_ = Clock::now() + limit_;
  while (!bytes.empty()) {
    const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("send: " + std::string(std::strerror(errno)));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

bool HttpClient::readable(std::chrono::milliseconds limit) {
  if (socket_ < 0) fail("not connected");
  if (!buffer_.empty()) return true;
  pollfd polled{socket_, POLLIN, 0};
  return ::poll(&polled, 1, static_cast<int>(limit.count())) > 0;
}

bool HttpClient::closes_within(std::chrono::milliseconds limit) {
  const auto deadline = Clock::now() + limit;
  buffer_.clear();
  while (Clock::now() < deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (!readable(left)) return false;
    std::array<char, 4096> bytes;
    const auto count = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (count == 0 || (count < 0 && errno != EINTR)) return true;
  }
  return false;
}

/// Reads what is there. False: the peer has closed.
bool HttpClient::fill() {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now());
  pollfd polled{socket_, POLLIN, 0};
  if (left.count() <= 0 || ::poll(&polled, 1, static_cast<int>(left.count())) <= 0) {
    close();
    fail("no answer within " + std::to_string(limit_.count()) + " ms");
  }
  std::array<char, 65536> bytes;
  const auto count = ::recv(socket_, bytes.data(), bytes.size(), 0);
  if (count <= 0) return false;
  if (first_byte_ == Clock::time_point()) first_byte_ = Clock::now();
  buffer_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

std::string HttpClient::read_until(std::string_view end) {
  for (std::size_t from = 0;;) {
    const auto found = buffer_.find(end, from);
    if (found != std::string::npos) {
      auto text = buffer_.substr(0, found);
      buffer_.erase(0, found + end.size());
      return text;
    }
    from = buffer_.size() < end.size() ? 0 : buffer_.size() - end.size();
    if (buffer_.size() > (1u << 20) || !fill()) {
      close();
      fail("the peer closed inside a response head");
    }
  }
}

std::string HttpClient::read_exactly(std::size_t count) {
  while (buffer_.size() < count) {
    if (!fill()) {
      close();
      fail("the peer closed inside a body");
    }
  }
  auto bytes = buffer_.substr(0, count);
  buffer_.erase(0, count);
  return bytes;
}

void HttpClient::read_chunks(std::string& body) {
  for (;;) {
    const auto line = read_until("\r\n");
    std::size_t size = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
    if (error != std::errc()) fail("bad chunk size " + line);
    if (size == 0) break;
    body += read_exactly(size);
    if (read_exactly(2) != "\r\n") fail("bad chunk end");
  }
  while (!read_until("\r\n").empty()) {
  }
}

void HttpClient::read_body(Response& response, bool to_head) {
  if (to_head || response.status == 204 || response.status == 304 || response.status < 200) return;
  if (lower(response.field("Transfer-Encoding")) == "chunked") {
    if (response.has("Content-Length")) fail("both Content-Length and Transfer-Encoding");
    return read_chunks(response.body);
  }
  if (response.has("Content-Length")) {
    const auto length = parse_integer(response.field("Content-Length"));
    if (!length) fail("bad Content-Length " + response.field("Content-Length"));
    response.body = read_exactly(*length);
    return;
  }
  while (fill()) {
  }
  response.body = std::exchange(buffer_, {});
  close();
}

Response HttpClient::receive(bool to_head) {
  if (socket_ < 0) fail("not connected");
  deadline_ = Clock::now() + limit_;
  first_byte_ = buffer_.empty() ? Clock::time_point() : Clock::now();
  auto response = parse_head(read_until("\r\n\r\n"));
  response.first_byte = first_byte_;
  read_body(response, to_head);
  response.complete = Clock::now();
  response.received = std::chrono::system_clock::now();
  if (lower(response.field("Connection")) == "close") close();
  return response;
}

Response HttpClient::request(const std::string& method, const std::string& target, const Fields& fields,
                             const std::string& body) {
  std::string head = method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) + "\r\n";
  for (const auto& [name, value] : fields) head += name + ": " + value + "\r\n";
  if (!body.empty()) head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  const auto asked = Clock::now();
  if (socket_ >= 0 && (readable(std::chrono::milliseconds(0)) || !buffer_.empty()))
    close();  // ended while idle
  send(head + "\r\n" + body);
  auto response = receive(method == "HEAD");
  response.asked = asked;
  return response;
}

std::string gunzip(std::string_view bytes) {
  z_stream stream{};
  if (::inflateInit2(&stream, 15 + 16) != Z_OK) throw std::runtime_error("inflateInit2");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 65536> buffer;
  int code = Z_OK;
  while (code == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream.avail_out = buffer.size();
    code = ::inflate(&stream, Z_NO_FLUSH);
    out.append(buffer.data(), buffer.size() - stream.avail_out);
  }
  const bool whole = code == Z_STREAM_END && stream.avail_in == 0;
  ::inflateEnd(&stream);
  if (!whole) throw std::runtime_error("gunzip: broken data");
  return out;
}

}  // namespace lookback::support
