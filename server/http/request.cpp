#include "server/http/request.hpp"

#include <boost/beast/http/error.hpp>

namespace lookback::server::http {
namespace {

namespace beast = boost::beast;

constexpr std::size_t max_method_bytes = 32;
constexpr std::size_t max_empty_lines = 2;

/// Fields that are lists may come in several lines (RFC 9110 5.3).
void append_list(std::string& list, std::string_view value) {
  if (!list.empty()) list += ", ";
  list.append(value);
}

}  // namespace

void Request::clear() {
  method = Method::other;
  keep_alive = expects_continue = false;
  for (auto* text : {&target, &if_none_match, &if_range, &range, &accept_encoding}) text->clear();
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

RequestParser::RequestParser(Request& request, std::size_t max_body_bytes) : request_(request) {
  body_limit(max_body_bytes);
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
  using beast::http::verb;
  ec = {};
  request_.method = method == verb::get       ? Method::get
                    : method == verb::head    ? Method::head
                    : method == verb::options ? Method::options
                                              : Method::other;
  request_.target.assign(target.data(), target.size());
  version_ = version;
}

void RequestParser::on_field_impl(field name, string_view, string_view value, error_code& ec) {
  ec = {};
  const std::string_view text(value.data(), value.size());
  switch (name) {
    case field::host:
      ++hosts_;
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
