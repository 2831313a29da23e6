#include "server/archive/view_request.hpp"

#include <algorithm>
#include <array>

namespace lookback::server::archive {
namespace {

constexpr std::array<std::string_view, 10> own_parameters{"start", "end",   "duration", "window", "delay",
                                                          "time",  "width", "height",   "fps",    "fit"};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Problem bad(std::string detail) { return {400, std::move(detail)}; }

template <class T>
std::optional<Problem> set(std::optional<T>& field, std::string_view name, Answer<T> value) {
  if (field) return bad(std::string(name) + " stands twice; leave one away");
  if (!value) return value.error();
  field = *value;
  return {};
}

std::optional<Problem> take(ViewRequest& request, std::string_view name, std::string_view value) {
  if (name == "start") return set(request.start, name, parse_time(name, value));
  if (name == "end") return set(request.end, name, parse_time(name, value));
  if (name == "duration") return set(request.duration_us, name, parse_duration(name, value));
  if (name == "window") return set(request.window_us, name, parse_duration(name, value));
  if (name == "delay") return set(request.delay_us, name, parse_duration(name, value));
  return {};
}

std::optional<Problem> contradiction(const ViewRequest& request) {
  if (request.end && request.duration_us) return bad("end and duration say the same; leave one away");
  if (!request.start && request.end) return bad("end needs start beside it; add the start of the range");
  if (!request.start && request.duration_us)
    return bad("duration needs start beside it; for the newest part of a stream ask for window");
  if (request.start && request.window_us) return bad("window does not go with start; leave one away");
  if (request.start && request.delay_us) return bad("delay does not go with start; leave one away");
  return {};
}

void append(std::string& query, std::string_view name, std::string_view value) {
  if (!query.empty()) query += '&';
  query.append(name).append(1, '=').append(value);
}

}  // namespace

std::string decode_percent(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    if (!escape) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

bool is_own_parameter(std::string_view name) {
  return std::find(own_parameters.begin(), own_parameters.end(), name) != own_parameters.end();
}

Answer<ViewRequest> parse_view(std::string_view query) {
  ViewRequest request;
  while (!query.empty()) {
    const auto parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    const auto name = parameter.substr(0, parameter.find('='));
    const auto value = parameter.substr(std::min(parameter.size(), name.size() + 1));
    if (auto problem = take(request, name, decode_percent(value))) return *std::move(problem);
  }
  if (auto problem = contradiction(request)) return *std::move(problem);
  return request;
}

Answer<TimeRange> range_of(const ViewRequest& request, std::int64_t now_us) {
  TimeRange range;
  range.start_us = request.start->at(now_us);
  if (request.end) range.end_us = request.end->at(now_us);
  if (request.duration_us) range.end_us = range.start_us + *request.duration_us;
  if (request.duration_us && *request.duration_us == 0)
    return bad("duration is 0; ask for at least a millisecond");
  const bool bounded = range.end_us != TimeRange::open_end;
  if (range.start_us < min_time_us || range.start_us > max_time_us)
    return bad("start is outside the years 0 to 9999; correct it");
  if (bounded && (range.end_us < min_time_us || range.end_us > max_time_us))
    return bad("the range ends outside the years 0 to 9999; correct end or duration");
  if (range.end_us <= range.start_us) return bad("end must be later than start; exchange or correct them");
  return range;
}

Answer<std::string> canonical_query(const ViewRequest& request, std::int64_t now_us) {
  std::string query;
  if (request.start) {
    const auto range = range_of(request, now_us);
    if (!range) return range.error();
    append(query, "start", time_text(range->start_us));
    if (range->end_us != TimeRange::open_end) append(query, "end", time_text(range->end_us));
  }
  if (request.window_us) append(query, "window", duration_text(*request.window_us));
  if (request.delay_us) append(query, "delay", duration_text(*request.delay_us));
  return query;
}

}  // namespace lookback::server::archive
