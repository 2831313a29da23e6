#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

/// Action Message Format 0 (Adobe "AMF 0 File Format", 2006): the values of RTMP commands and metadata.
/// Pure functions; no thread rules.
namespace lookback::server::rtmp::amf0 {

struct Property;
struct Value;

struct Undefined {
  bool operator==(const Undefined&) const = default;
};
struct Null {
  bool operator==(const Null&) const = default;
};
struct Object {
  std::vector<Property> properties;
};
struct EcmaArray {
  std::vector<Property> properties;
};
struct StrictArray {
  std::vector<Value> items;
};
struct Date {
  double ms_since_epoch = 0;
};

/// One AMF0 value; a long string (marker 12) is a string.
struct Value {
  std::variant<Undefined, Null, double, bool, std::string, Object, EcmaArray, StrictArray, Date> data;

  const std::string* string() const { return std::get_if<std::string>(&data); }
  const double* number() const { return std::get_if<double>(&data); }
  /// The named property of an object or ECMA array; null when there is none.
  const Value* find(std::string_view name) const;
};

struct Property {
  std::string name;
  Value value;
};

/// What one message may hold; strings are bounded by the bytes present.
struct Limits {
  std::size_t depth = 16;          ///< objects and arrays inside each other
  std::size_t properties = 1'000;  ///< properties and array items, all together
};

/// Reads all values of a command or data message.
/// Errors: bad_amf (cut short, or a type other than number, boolean, string, object, null, undefined,
/// ECMA array, strict array, date, long string), amf_too_deep (a limit is passed).
Result<std::vector<Value>> decode(ByteSpan message, const Limits& limits);

/// Appends a value; strings above 65,535 bytes go as long strings, names must not be longer.
void encode(const Value& value, std::vector<std::byte>& out);

}  // namespace lookback::server::rtmp::amf0
