#pragma once
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/problem.hpp"

/// JSON as the control API takes it: bounded in depth, no key twice, every field known and in its range; each
/// mistake is told with the pointer of its field. Boost.JSON reads and writes the text. No Asio: fuzzed.
namespace lookback::server::api {

namespace json = boost::json;

constexpr std::size_t max_json_depth = 16;

/// Reads one JSON text. Its length is the caller's to bound. Problems (400): not JSON (RFC 8259), nested
/// deeper than `max_json_depth`, a key twice in one object, not an object.
Outcome<json::object> parse_object(std::string_view text);

/// The text of a value; fractions are written as decimals ("12.5"), where Boost.JSON writes 1.25E1.
std::string to_text(const json::value& value);

/// Takes the fields of one object, and tells what is wrong with them. Usage: take each, then `finish`.
class Fields {
 public:
  /// `pointer`: of the object itself, "" at the top. All outlive the reader.
  Fields(const json::object& object, std::string pointer, std::vector<FieldError>& errors)
      : object_(object), pointer_(std::move(pointer)), errors_(errors) {}

  /// Whether the field is there.
  bool has(std::string_view name) const { return object_.contains(name); }
  /// Whether it is there and null.
  bool is_null(std::string_view name) const;
  /// The value as it is; null when it is not there.
  const json::value* take(std::string_view name);
  /// Text of `min` to `max` bytes without control characters.
  std::optional<std::string> text(std::string_view name, std::size_t min, std::size_t max);
  std::optional<bool> flag(std::string_view name);
  /// Seconds, in us: finite and within [min_s, max_s]. `or_null` is said in the complaint where null is
  /// taken, too: look with `is_null` first.
  std::optional<std::int64_t> seconds(std::string_view name, std::int64_t min_s, std::int64_t max_s,
                                      bool or_null = false);
  /// A moment (product: RFC 3339, Unix seconds or milliseconds, `now`, `now-90s`), in us.
  std::optional<std::int64_t> time(std::string_view name, std::int64_t now_us);
  const json::object* object(std::string_view name);

  /// The field's pointer.
  std::string pointer(std::string_view name) const;
  void complain(std::string_view name, std::string detail);
  /// Complains about fields that nobody took.
  void finish();

 private:
  const json::object& object_;
  const std::string pointer_;
  std::vector<FieldError>& errors_;
  std::vector<std::string> known_;
};

/// "the request has mistakes": 422 with all of them.
Problem wrong_fields(std::vector<FieldError> errors);

}  // namespace lookback::server::api
