#include "server/http/response.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "server/http/field_values.hpp"

namespace lookback::server::http {
namespace {

/// On every response, errors included: players on other origins read these (rfc8216bis, hls.js).
constexpr std::string_view common_fields =
    "Server: lookback\r\n"
    "X-Content-Type-Options: nosniff\r\n";
constexpr std::string_view shared_fields =
    "Access-Control-Allow-Origin: *\r\n"
    "Access-Control-Expose-Headers: Date, Age, Content-Range, ETag, Content-Length, Location\r\n";
constexpr std::string_view api_methods = "GET, HEAD, POST, PATCH, DELETE, OPTIONS";

/// The player takes media from blob: URLs, runs its demuxer in a worker from a blob: URL, and its controls
/// carry their own styles.
constexpr std::string_view page_policy =
    "Content-Security-Policy: default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; "
    "img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'\r\n"
    "Referrer-Policy: no-referrer\r\n";

std::string_view status_line(unsigned status) {
  switch (status) {
    case 200:
      return "HTTP/1.1 200 OK\r\n";
    case 201:
      return "HTTP/1.1 201 Created\r\n";
    case 204:
      return "HTTP/1.1 204 No Content\r\n";
    case 206:
      return "HTTP/1.1 206 Partial Content\r\n";
    case 302:
      return "HTTP/1.1 302 Found\r\n";
    case 304:
      return "HTTP/1.1 304 Not Modified\r\n";
    case 400:
      return "HTTP/1.1 400 Bad Request\r\n";
    case 401:
      return "HTTP/1.1 401 Unauthorized\r\n";
    case 403:
      return "HTTP/1.1 403 Forbidden\r\n";
    case 404:
      return "HTTP/1.1 404 Not Found\r\n";
    case 405:
      return "HTTP/1.1 405 Method Not Allowed\r\n";
    case 408:
      return "HTTP/1.1 408 Request Timeout\r\n";
    case 409:
      return "HTTP/1.1 409 Conflict\r\n";
    case 412:
      return "HTTP/1.1 412 Precondition Failed\r\n";
    case 413:
      return "HTTP/1.1 413 Content Too Large\r\n";
    case 414:
      return "HTTP/1.1 414 URI Too Long\r\n";
    case 415:
      return "HTTP/1.1 415 Unsupported Media Type\r\n";
    case 416:
      return "HTTP/1.1 416 Range Not Satisfiable\r\n";
    case 422:
      return "HTTP/1.1 422 Unprocessable Content\r\n";
    case 431:
      return "HTTP/1.1 431 Request Header Fields Too Large\r\n";
    case 503:
      return "HTTP/1.1 503 Service Unavailable\r\n";
    case 505:
      return "HTTP/1.1 505 HTTP Version Not Supported\r\n";
    default:
      return "HTTP/1.1 500 Internal Server Error\r\n";
  }
}

/// "Not Found", out of the status line.
std::string_view reason(unsigned status) {
  constexpr std::size_t before = std::string_view("HTTP/1.1 200 ").size();
  const auto line = status_line(status);
  return line.substr(before, line.size() - before - 2);
}

void append_number(std::string& out, std::uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

/// `text` as a JSON string (RFC 8259 7).
void append_json(std::string& out, std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20) {
      out.append("\\u00").append({digits[byte >> 4], digits[byte & 15]});
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name);
  out.append(value);
  out.append("\r\n");
}

void append_caching(std::string& out, const Caching& caching) {
  if (caching.kind == Caching::Kind::no_store) {
    out.append("Cache-Control: no-store\r\n");
    return;
  }
  out.append("Cache-Control: max-age=");
  append_number(out, caching.seconds);
  out.append(caching.kind == Caching::Kind::immutable ? ", immutable\r\n" : "\r\n");
}

void append_content_range(std::string& out, const Response& response) {
  out.append("Content-Range: bytes ");
  if (response.status == 416) {
    out.append("*");
  } else {
    append_number(out, response.range_offset);
    out.append("-");
    append_number(out, response.range_offset + size_of(response.body) - 1);
  }
  out.append("/");
  append_number(out, response.range_total);
  out.append("\r\n");
}

Chain sub_chain(const Chain& chain, std::uint64_t offset, std::uint64_t size) {
  Chain out;
  for (const auto& slice : chain) {
    if (size == 0) break;
    if (offset >= slice.size()) {
      offset -= slice.size();
      continue;
    }
    const auto count = std::min<std::uint64_t>(size, slice.size() - offset);
    out.push_back(slice.sub(offset, count));
    offset = 0;
    size -= count;
  }
  return out;
}

void cut_body(Body& body, std::uint64_t offset, std::uint64_t size) {
  if (auto* text = std::get_if<std::string_view>(&body)) {
    *text = text->substr(offset, size);
  } else if (auto* chain = std::get_if<Chain>(&body)) {
    *chain = sub_chain(*chain, offset, size);
  } else if (auto* file = std::get_if<FileBody>(&body)) {
    file->offset += offset;
    file->size = size;
    file->warm -= std::min(file->warm, offset);
  } else if (auto* pieced = std::get_if<PiecedBody>(&body)) {
    pieced->offset += offset;
    pieced->size = size;
  }
}

}  // namespace

std::uint64_t size_of(const Body& body) {
  if (const auto* chain = std::get_if<Chain>(&body)) return size_of(*chain);
  if (const auto* text = std::get_if<std::string_view>(&body)) return text->size();
  if (const auto* file = std::get_if<FileBody>(&body)) return file->size;
  if (const auto* pieced = std::get_if<PiecedBody>(&body)) return pieced->size;
  return 0;
}

void finish_response(const Request& request, Response& response) {
  const bool reads = request.method == Method::get || request.method == Method::head;
  if (!reads || response.status != 200 || response.etag.empty()) return;
  if (!request.if_none_match.empty() && if_none_match(request.if_none_match, response.etag)) {
    response.status = 304;
    response.body = std::monostate{};
    return;
  }
  if (!response.ranges || request.range.empty() || request.method != Method::get) return;
  if (!if_range(request.if_range, response.etag)) return;
  const auto total = size_of(response.body);
  const auto range = parse_range(request.range, total);
  if (range.kind == ByteRange::Kind::whole) return;
  response.range_total = total;
  if (range.kind == ByteRange::Kind::unsatisfiable) {
    auto refused = problem(416, "Range starts after the last byte; Content-Range tells the size");
    refused.range_total = total;
    response = std::move(refused);
    return;
  }
  response.status = 206;
  response.range_offset = range.offset;
  cut_body(response.body, range.offset, range.size);
}

void format_head(const Response& response, bool close, std::string_view date_line, std::string& out) {
  out.clear();
  out.append(status_line(response.status));
  out.append(common_fields);
  if (response.shared) out.append(shared_fields);
  out.append(date_line);
  append_caching(out, response.caching);
  if (!response.etag.empty()) append_field(out, "ETag: ", response.etag);
  if (response.varies) out.append("Vary: Accept-Encoding\r\n");
  if (response.status != 304 && response.status != 204) {
    if (!response.content_type.empty()) append_field(out, "Content-Type: ", response.content_type);
    if (response.gzip) out.append("Content-Encoding: gzip\r\n");
    out.append("Content-Length: ");
    append_number(out, size_of(response.body));
    out.append("\r\n");
  }
  if (response.ranges) out.append("Accept-Ranges: bytes\r\n");
  if (response.status == 206 || response.status == 416) append_content_range(out, response);
  if (!response.file_name.empty()) {
    out.append("Content-Disposition: attachment; filename=\"").append(response.file_name).append("\"\r\n");
  }
  if (!response.location.empty()) append_field(out, "Location: ", response.location);
  if (response.page) out.append(page_policy);
  if (response.authenticate) out.append("WWW-Authenticate: Bearer\r\n");
  if (response.status == 405 || response.preflight) append_field(out, "Allow: ", response.allow);
  if (response.preflight) {
    append_field(out, "Access-Control-Allow-Methods: ", response.allow);
    out.append(
        "Access-Control-Allow-Headers: Range, If-None-Match, If-Range, If-Modified-Since, If-Match, "
        "Cache-Control, "
        "Content-Type, "
        "Authorization\r\n"
        "Access-Control-Max-Age: 86400\r\n");
  }
  if (response.retry_after_s != 0) {
    out.append("Retry-After: ");
    append_number(out, response.retry_after_s);
    out.append("\r\n");
  }
  if (close) out.append("Connection: close\r\n");
  out.append("\r\n");
}

Response problem(unsigned status, std::string_view detail) { return problem_with(status, detail, {}); }

Response problem_with(unsigned status, std::string_view detail, std::string_view errors) {
  std::string text = R"({"type":"about:blank","title":")";
  text.append(reason(status)).append(R"(","status":)");
  append_number(text, status);
  text.append(R"(,"detail":)");
  append_json(text, detail);
  if (!errors.empty()) text.append(R"(,"errors":)").append(errors);
  text.append("}\n");

  Response response;
  response.status = status;
  response.content_type = "application/problem+json";
  if (status == 404) response.caching = Caching::for_seconds(1);
  if (status == 503) response.retry_after_s = 1;
  response.body = Chain{make_slice(std::move(text))};
  return response;
}

Response preflight(bool api) {
  Response response;
  response.status = 204;
  response.preflight = true;
  if (api) response.allow = api_methods;
  response.caching = Caching::for_seconds(86'400);
  return response;
}

}  // namespace lookback::server::http
