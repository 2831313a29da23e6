#include "server/ingest/rtmp/amf0.hpp"

#include <bit>
#include <cassert>
#include <limits>

#include "server/errc.hpp"
#include "server/ingest/rtmp/big_endian.hpp"

namespace lookback::server::rtmp::amf0 {
namespace {

enum Marker : std::uint8_t {
  number_marker = 0,
  boolean_marker = 1,
  string_marker = 2,
  object_marker = 3,
  null_marker = 5,
  undefined_marker = 6,
  ecma_array_marker = 8,
  object_end_marker = 9,
  strict_array_marker = 10,
  date_marker = 11,
  long_string_marker = 12,
};

constexpr std::size_t max_short_string = std::numeric_limits<std::uint16_t>::max();

/// Walks one message; every read is checked against the bytes that are left.
class Decoder {
 public:
  Decoder(ByteSpan message, const Limits& limits) : rest_(message), limits_(limits) {}

  bool at_end() const { return rest_.empty(); }

  /// `depth`: how many objects and arrays this value lies in; the recursion ends at limits_.depth.
  Result<Value> value(std::size_t depth) {
    if (rest_.empty()) return Errc::bad_amf;
    const auto marker = take_be<std::uint8_t>(rest_);
    switch (marker) {
      case number_marker:
        return number();
      case boolean_marker:
        if (rest_.empty()) return Errc::bad_amf;
        return Value{take_be<std::uint8_t>(rest_) != 0};
      case string_marker:
        return string(2);
      case long_string_marker:
        return string(4);
      case null_marker:
        return Value{Null{}};
      case undefined_marker:
        return Value{Undefined{}};
      case date_marker:
        return date();
      case object_marker:
      case ecma_array_marker:
      case strict_array_marker:
        if (depth >= limits_.depth) return Errc::amf_too_deep;
        if (marker == strict_array_marker) return strict_array(depth + 1);
        return marker == object_marker ? object(depth + 1) : ecma_array(depth + 1);
      default:
        return Errc::bad_amf;
    }
  }

 private:
  Result<Value> number() {
    if (rest_.size() < 8) return Errc::bad_amf;
    return Value{std::bit_cast<double>(take_be<std::uint64_t>(rest_))};
  }

  Result<Value> date() {
    if (rest_.size() < 10) return Errc::bad_amf;
    const Date date{std::bit_cast<double>(take_be<std::uint64_t>(rest_))};
    take_be<std::uint16_t>(rest_);  // time zone: reserved, must be ignored
    return Value{date};
  }

  Result<std::string_view> text(std::size_t length_bytes) {
    if (rest_.size() < length_bytes) return Errc::bad_amf;
    const std::size_t length =
        length_bytes == 2 ? take_be<std::uint16_t>(rest_) : take_be<std::uint32_t>(rest_);
    if (rest_.size() < length) return Errc::bad_amf;
    const auto found = as_text(rest_.first(length));
    rest_ = rest_.subspan(length);
    return found;
  }

  Result<Value> string(std::size_t length_bytes) {
    const auto found = text(length_bytes);
    if (!found) return found.error();
    return Value{std::string(*found)};
  }

  Result<Value> object(std::size_t depth) {
    Object found;
    if (auto read = properties(found.properties, depth); !read) return read.error();
    return Value{std::move(found)};
  }

  /// The count in front is a hint that encoders get wrong: the end marker decides.
  Result<Value> ecma_array(std::size_t depth) {
    if (rest_.size() < 4) return Errc::bad_amf;
    take_be<std::uint32_t>(rest_);
    EcmaArray found;
    if (auto read = properties(found.properties, depth); !read) return read.error();
    return Value{std::move(found)};
  }

  Result<void> properties(std::vector<Property>& out, std::size_t depth) {
    for (;;) {
      const auto name = text(2);
      if (!name) return name.error();
      if (name->empty() && !rest_.empty() && rest_.front() == std::byte{object_end_marker}) {
        rest_ = rest_.subspan(1);
        return {};
      }
      if (++properties_ > limits_.properties) return Errc::amf_too_deep;
      auto next = value(depth);
      if (!next) return next.error();
      out.push_back({std::string(*name), std::move(*next)});
    }
  }

  Result<Value> strict_array(std::size_t depth) {
    if (rest_.size() < 4) return Errc::bad_amf;
    const auto count = take_be<std::uint32_t>(rest_);
    if (count > rest_.size()) return Errc::bad_amf;  // an item takes at least its marker
    if (count > limits_.properties - properties_) return Errc::amf_too_deep;
    properties_ += count;
    StrictArray found;
    for (std::uint32_t i = 0; i < count; ++i) {
      auto next = value(depth);
      if (!next) return next.error();
      found.items.push_back(std::move(*next));
    }
    return Value{std::move(found)};
  }

  ByteSpan rest_;
  const Limits limits_;
  std::size_t properties_ = 0;
};

void put_text(std::string_view text, std::size_t length_bytes, std::vector<std::byte>& out) {
  if (length_bytes == 2) {
    put_be(static_cast<std::uint16_t>(text.size()), out);
  } else {
    put_be(static_cast<std::uint32_t>(text.size()), out);
  }
  const auto bytes = as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Appends one value; a visitor for the variant.
class Encoder {
 public:
  explicit Encoder(std::vector<std::byte>& out) : out_(out) {}

  void operator()(const Undefined&) { mark(undefined_marker); }
  void operator()(const Null&) { mark(null_marker); }
  void operator()(double number) {
    mark(number_marker);
    put_be(std::bit_cast<std::uint64_t>(number), out_);
  }
  void operator()(bool flag) {
    mark(boolean_marker);
    out_.push_back(flag ? std::byte{1} : std::byte{0});
  }
  void operator()(const std::string& text) {
    const bool is_long = text.size() > max_short_string;
    mark(is_long ? long_string_marker : string_marker);
    put_text(text, is_long ? 4 : 2, out_);
  }
  void operator()(const Object& object) {
    mark(object_marker);
    properties(object.properties);
  }
  void operator()(const EcmaArray& array) {
    mark(ecma_array_marker);
    put_be(static_cast<std::uint32_t>(array.properties.size()), out_);
    properties(array.properties);
  }
  void operator()(const StrictArray& array) {
    mark(strict_array_marker);
    put_be(static_cast<std::uint32_t>(array.items.size()), out_);
    for (const auto& item : array.items) encode(item, out_);
  }
  void operator()(const Date& date) {
    mark(date_marker);
    put_be(std::bit_cast<std::uint64_t>(date.ms_since_epoch), out_);
    put_be(std::uint16_t{0}, out_);
  }

 private:
  void mark(Marker marker) { out_.push_back(std::byte{marker}); }

  void properties(const std::vector<Property>& properties) {
    for (const auto& property : properties) {
      assert(property.name.size() <= max_short_string);
      put_text(property.name, 2, out_);
      encode(property.value, out_);
    }
    put_text({}, 2, out_);
    mark(object_end_marker);
  }

  std::vector<std::byte>& out_;
};

}  // namespace

const Value* Value::find(std::string_view name) const {
  const std::vector<Property>* properties = nullptr;
  if (const auto* object = std::get_if<Object>(&data)) properties = &object->properties;
  if (const auto* array = std::get_if<EcmaArray>(&data)) properties = &array->properties;
  if (properties == nullptr) return nullptr;
  for (const auto& property : *properties) {
    if (property.name == name) return &property.value;
  }
  return nullptr;
}

Result<std::vector<Value>> decode(ByteSpan message, const Limits& limits) {
  std::vector<Value> values;
  for (Decoder decoder(message, limits); !decoder.at_end();) {
    if (values.size() >= limits.properties) return Errc::amf_too_deep;
    auto next = decoder.value(0);
    if (!next) return next.error();
    values.push_back(std::move(*next));
  }
  return Result<std::vector<Value>>(std::move(values));
}

void encode(const Value& value, std::vector<std::byte>& out) { std::visit(Encoder(out), value.data); }

}  // namespace lookback::server::rtmp::amf0
