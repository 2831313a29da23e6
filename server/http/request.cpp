#include "server/http/request.hpp"

#include <algorithm>
#include <boost/beast/http/error.hpp>

namespace lookback::server::http {
namespace {

namespace beast = boost::beast;

constexpr std::size_t max_method_bytes = 32;
constexpr std::size_t max_empty_lines = 2;

Method method_of(beast::http::verb method) {
  using beast::http::verb;
  switch (method) {
    case verb::get:
      return Method::get;
    case verb::head:
      return Method::head;
    case verb::options:
      return Method::options;
    case verb::post:
      return Method::post;
    case verb::put:
      return Method::put;
    case verb::patch:
      return Method::patch;
    case verb::delete_:
      return Method::remove;
    default:
      return Method::other;
  }
}

/// What proxies add that Beast has no name for.
bool is_proxy_field(std::string_view name) {
  const auto starts_with = [&](std::string_view prefix) {
    return name.size() >= prefix.size() && beast::iequals(name.substr(0, prefix.size()), prefix);
  };
  return starts_with("x-forwarded-") || beast::iequals(name, "x-real-ip");
}

/// Fields that are lists may come in several lines (RFC 9110 5.3).
void append_list(std::string& list, std::string_view value) {
  if (!list.empty()) list += ", ";
  list.append(value);
}

}  // namespace

void Request::clear() {
  method = Method::other;
  keep_alive = expects_continue = forwarded = false;
  for (auto* text : {&target, &if_none_match, &if_range, &range, &accept_encoding, &host, &origin,
                     &authorization, &content_type, &if_match, &body}) {
    text->clear();
  }
}

bool Request::is_api() const {
  std::string_view path = target;
  if (const auto scheme = path.find("://"); scheme != std::string_view::npos && !path.starts_with('/')) {
    path.remove_prefix(std::min(path.size(), path.find('/', scheme + 3)));
  }
  return path.starts_with("/api/");
}

bool Request::takes_body() const {
  const bool changes =
      method == Method::post || method == Method::put || method == Method::patch || method == Method::remove;
  return changes && is_api();
}

HeadScanner::State HeadScanner::scan(std::string_view bytes) {
  for (; position_ < bytes.size(); ++position_) {
    const auto c = static_cast<unsigned char>(bytes[position_]);
    if (c >= 0x20 && c != 0x7f) [[likely]] {
      if (c == ' ' && position_ == line_ && line_ != start_) return State::malformed;  // folded field
      continue;
    }
    if (c == '\t' && position_ != line_) continue;
    if (c == '\r') {
      if (position_ + 1 == bytes.size()) break;  // look at it again with its LF
      if (bytes[position_ + 1] != '\n') return State::malformed;
      continue;
    }
    if (c != '\n' || position_ == 0 || bytes[position_ - 1] != '\r') return State::malformed;
    if (const auto state = end_line(bytes); state != State::incomplete) return state;
  }
  const bool in_request_line = line_ == start_;
  if (in_request_line && position_ - start_ > max_target_bytes_ + max_method_bytes)
    return State::too_long_target;
  return bytes.size() > max_head_bytes_ ? State::too_long : State::incomplete;
}

/// `position_` is at the LF of a line.
HeadScanner::State HeadScanner::end_line(std::string_view bytes) {
  const bool empty = position_ == line_ + 1;
  const bool before_request = line_ == start_ && empty;
  if (!before_request && line_ == start_) {
    const auto line = bytes.substr(start_, position_ - start_);
    const auto from = line.find(' '), to = line.rfind(' ');
    if (from != std::string_view::npos && to - from > max_target_bytes_ + 1) return State::too_long_target;
  }
  if (position_ >= max_head_bytes_) return State::too_long;
  line_ = position_ + 1;
  if (before_request) {
    start_ = line_;
    return start_ > max_empty_lines * 2 ? State::malformed : State::incomplete;
  }
  if (!empty) return State::incomplete;
  ++position_;
  return State::complete;
}

RequestParser::RequestParser(Request& request, std::size_t max_dropped_bytes, std::size_t max_kept_bytes)
    : request_(request), max_kept_bytes_(max_kept_bytes) {
  body_limit(max_dropped_bytes);
  header_limit(static_cast<std::uint32_t>(-1));  // HeadScanner has measured it
}

unsigned RequestParser::refusal(const boost::system::error_code& ec) {
  using Error = beast::http::error;
  if (!ec || ec == Error::need_more) return 0;
  if (ec == Error::body_limit) return 413;
  if (ec == Error::bad_version) return 505;
  return 400;
}

void RequestParser::on_request_impl(beast::http::verb method, string_view, string_view target, int version,
                                    error_code& ec) {
  ec = {};
  request_.method = method_of(method);
  request_.target.assign(target.data(), target.size());
  version_ = version;
  if (request_.takes_body()) body_limit(max_kept_bytes_);
}

/// Beast has held it against the limit.
std::size_t RequestParser::keep(string_view body, error_code& ec) {
  ec = {};
  if (request_.takes_body()) request_.body.append(body.data(), body.size());
  return body.size();
}

void RequestParser::on_field_impl(field name, string_view name_text, string_view value, error_code& ec) {
  ec = {};
  const std::string_view text(value.data(), value.size());
  switch (name) {
    case field::host:
      ++hosts_;
      request_.host.assign(text);
      break;
    case field::content_length:
      ++lengths_;
      if (text.find(',') != std::string_view::npos) ++lengths_;
      break;
    case field::transfer_encoding:
      ++codings_;
      if (!beast::iequals(value, "chunked")) bad_coding_ = true;
      break;
    case field::expect:
      request_.expects_continue = true;
      break;
    case field::if_none_match:
      append_list(request_.if_none_match, text);
      break;
    case field::if_range:
      append_list(request_.if_range, text);
      break;
    case field::range:
      append_list(request_.range, text);
      break;
    case field::accept_encoding:
      append_list(request_.accept_encoding, text);
      break;
    case field::if_match:
      append_list(request_.if_match, text);
      break;
    case field::authorization:
      append_list(request_.authorization, text);  // two of them make one that no scheme reads
      break;
    case field::origin:
      append_list(request_.origin, text);
      break;
    case field::content_type:
      append_list(request_.content_type, text);
      break;
    case field::forwarded:
    case field::via:
      request_.forwarded = true;
      break;
    case field::unknown:
      if (is_proxy_field(name_text)) request_.forwarded = true;
      break;
    default:
      break;
  }
}

void RequestParser::on_header_impl(error_code& ec) {
  using Error = beast::http::error;
  ec = {};
  request_.keep_alive = version_ == 11 && keep_alive();
  const bool host_missing = version_ == 11 && hosts_ != 1;  // RFC 9112 3.2
  if (host_missing || hosts_ > 1) ec = Error::bad_field;
  if (lengths_ > 1 || (lengths_ > 0 && codings_ > 0)) ec = Error::bad_content_length;
  if (codings_ > 1 || bad_coding_) ec = Error::bad_transfer_encoding;
}

}  // namespace lookback::server::http
