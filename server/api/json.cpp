#include "server/api/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>

#include "server/api/duplicate_keys.hpp"
#include "server/archive/time_grammar.hpp"

namespace lookback::server::api {
namespace {

json::parse_options bounded() {
  json::parse_options options;
  options.max_depth = max_json_depth;
  return options;
}

Problem not_json(const boost::system::error_code& error) {
  if (error == json::error::too_deep) return {400, "the JSON is nested deeper than 16 levels; flatten it"};
  return {400, "the body is not JSON (RFC 8259): " + error.message()};
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

std::optional<double> number(const json::value& value) {
  if (value.is_int64()) return static_cast<double>(value.get_int64());
  if (value.is_uint64()) return static_cast<double>(value.get_uint64());
  if (value.is_double() && std::isfinite(value.get_double())) return value.get_double();
  return std::nullopt;
}

void append(std::string& out, const json::value& value) {
  if (const auto* object = value.if_object()) {
    out += '{';
    for (const auto& field : *object) {
      if (out.back() != '{') out += ',';
      out.append(json::serialize(field.key())).append(":");
      append(out, field.value());
    }
    out += '}';
  } else if (const auto* array = value.if_array()) {
    out += '[';
    for (const auto& item : *array) {
      if (out.back() != '[') out += ',';
      append(out, item);
    }
    out += ']';
  } else if (const auto* fraction = value.if_double()) {
    out += fmt::format("{}", *fraction);
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string to_text(const json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

std::string pointer_step(std::string_view key) {
  std::string out = "/";
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string DuplicateKeys::path() const {
  std::string out;
  for (const auto& level : levels_)
    out += level.is_array ? "/" + std::to_string(level.index) : pointer_step(level.current);
  return out;
}

Outcome<json::object> parse_object(std::string_view text) {
  boost::system::error_code error;
  json::basic_parser<DuplicateKeys> keys(bounded());
  const auto taken = keys.write_some(false, text.data(), text.size(), error);
  if (!error && taken < text.size()) error = json::error::extra_data;
  if (error) return not_json(error);
  if (const auto& twice = keys.handler().found(); !twice.empty())
    return field_problem(400, twice, "stands twice; keep one of them");
  auto value = json::parse(text, error, {}, bounded());
  if (error) return not_json(error);
  if (!value.is_object()) return Problem{400, "the body must be a JSON object"};
  return std::move(value.get_object());
}

bool Fields::is_null(std::string_view name) const {
  const auto* value = object_.if_contains(name);
  return value && value->is_null();
}

const json::value* Fields::take(std::string_view name) {
  known_.emplace_back(name);
  return object_.if_contains(name);
}

std::optional<std::string> Fields::text(std::string_view name, std::size_t min, std::size_t max) {
  const auto* value = take(name);
  if (!value) return std::nullopt;
  const bool fits = value->is_string() && value->get_string().size() >= min &&
                    value->get_string().size() <= max && !has_control(value->get_string());
  if (fits) return std::string(value->get_string());
  complain(name, "must be text of " + std::to_string(min) + " to " + std::to_string(max) +
                     " bytes without control characters");
  return std::nullopt;
}

std::optional<bool> Fields::flag(std::string_view name) {
  const auto* value = take(name);
  if (!value) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  complain(name, "must be true or false");
  return std::nullopt;
}

std::optional<std::int64_t> Fields::seconds(std::string_view name, std::int64_t min_s, std::int64_t max_s,
                                            bool or_null) {
  const auto* value = take(name);
  if (!value) return std::nullopt;
  const auto seconds = number(*value);
  if (seconds && *seconds >= static_cast<double>(min_s) && *seconds <= static_cast<double>(max_s))
    return std::llround(*seconds * 1e6);
  complain(name, "must be a number of seconds from " + std::to_string(min_s) + " to " +
                     std::to_string(max_s) + (or_null ? ", or null: the entire stream" : ""));
  return std::nullopt;
}

std::optional<std::int64_t> Fields::time(std::string_view name, std::int64_t now_us) {
  const auto* value = take(name);
  if (!value) return std::nullopt;
  std::string text;
  if (value->is_string()) {
    text = value->get_string();
  } else if (value->is_int64() || value->is_uint64() || (value->is_double() && number(*value))) {
    text = fmt::format("{:.3f}", *number(*value));
  }
  const auto moment = archive::parse_time(name, text);
  if (moment) return moment->at(now_us);
  complain(name, moment.error().detail);
  return std::nullopt;
}

const json::object* Fields::object(std::string_view name) {
  const auto* value = take(name);
  if (!value) return nullptr;
  if (value->is_object()) return &value->get_object();
  complain(name, "must be an object");
  return nullptr;
}

std::string Fields::pointer(std::string_view name) const { return pointer_ + pointer_step(name); }

void Fields::complain(std::string_view name, std::string detail) {
  errors_.push_back({pointer(name), std::move(detail)});
}

void Fields::finish() {
  for (const auto& field : object_) {
    const std::string_view name = field.key();
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    std::string names;
    for (const auto& known : known_) names += (names.empty() ? "" : ", ") + known;
    complain(name, "is not known here; known are " + names);
  }
}

Problem wrong_fields(std::vector<FieldError> errors) {
  Problem problem{422, errors.front().pointer + " " + errors.front().detail};
  if (errors.size() > 1)
    problem.detail = std::to_string(errors.size()) + " fields are wrong; errors lists them";
  problem.errors = std::move(errors);
  return problem;
}

}  // namespace lookback::server::api
