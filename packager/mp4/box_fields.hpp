#pragma once
#include <cstddef>
#include <cstdint>

#include "store/base/bytes.hpp"

namespace lookback::packager {

/// A box type as a number: `box_type("moov")`.
constexpr std::uint32_t box_type(const char (&name)[5]) {
  std::uint32_t type = 0;
  for (int i = 0; i < 4; ++i) type = type << 8 | static_cast<unsigned char>(name[i]);
  return type;
}

/// Takes big-endian fields and boxes (ISO/IEC 14496-12 4.2) off the front of bytes of any origin. After the
/// first that is not there everything reads as 0 or empty, and `ok()` is false. Belongs to its caller; the
/// bytes must outlive it.
class BoxFields {
 public:
  static constexpr std::uint32_t header_bytes = 8;

  explicit BoxFields(ByteSpan bytes) : bytes_(bytes) {}

  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  void skip(std::size_t count) { take(count); }

  /// The type of the box that comes next; 0: none.
  std::uint32_t next_type() const {
    BoxFields ahead(bytes_);
    ahead.u32();
    return ahead.u32();
  }
  /// The next box with its header; it must have this type.
  ByteSpan whole_box(std::uint32_t type) {
    BoxFields ahead(bytes_);
    const auto size = ahead.u32();
    if (ahead.u32() != type || size < header_bytes) return take(bytes_.size() + 1);
    return take(size);
  }
  /// The body of the next box.
  BoxFields box(std::uint32_t type) {
    const auto whole = whole_box(type);
    return BoxFields(whole.empty() ? whole : whole.subspan(header_bytes));
  }
  /// Goes past boxes of other types to one of this type, and takes its body.
  BoxFields find_box(std::uint32_t type) {
    while (ok_ && !bytes_.empty() && next_type() != type) box(next_type());
    return box(type);
  }

  void fail() { take(bytes_.size() + 1); }
  bool ok() const { return ok_; }
  /// All fields were there, and nothing is left over.
  bool done() const { return ok_ && bytes_.empty(); }
  ByteSpan left() const { return bytes_; }

 private:
  ByteSpan take(std::size_t count) {
    if (count > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const auto taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }
  std::uint64_t number(std::size_t count) {
    std::uint64_t value = 0;
    for (const auto byte : take(count)) value = value << 8 | std::to_integer<std::uint64_t>(byte);
    return value;
  }

  ByteSpan bytes_;
  bool ok_ = true;
};

}  // namespace lookback::packager
