#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "store/base/bytes.hpp"

/// Integers and byte strings of the store's formats (FORMAT.md, "Encoding").
namespace lookback::store {

/// A signed number as one whose small values are near zero.
constexpr std::uint64_t to_zigzag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}
constexpr std::int64_t from_zigzag(std::uint64_t bits) {
  return static_cast<std::int64_t>((bits >> 1) ^ ((bits & 1) ? ~0ull : 0ull));
}

/// Appends values to a string. Belongs to its caller.
class Encoder {
 public:
  Encoder& u8(std::uint8_t value);
  Encoder& u32(std::uint32_t value);  ///< little-endian
  Encoder& u64(std::uint64_t value);  ///< little-endian
  Encoder& varint(std::uint64_t value);
  Encoder& zigzag(std::int64_t value);
  Encoder& raw(std::string_view bytes);
  Encoder& sized(std::string_view bytes);  ///< varint length, then the bytes
  Encoder& sized(ByteSpan bytes) { return sized(as_text(bytes)); }

  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

/// Takes values off bytes of unknown origin. After the first value that is not there every call
/// returns 0 or nothing, and `done()` is false. Belongs to its caller; the bytes must outlive it.
class Decoder {
 public:
  explicit Decoder(ByteSpan bytes) : left_(bytes) {}

  std::uint8_t u8();
  std::uint32_t u32();
  std::uint64_t u64();
  std::uint64_t varint();
  /// A varint of at most `limit`.
  std::uint64_t varint_up_to(std::uint64_t limit);
  std::uint32_t varint32() { return static_cast<std::uint32_t>(varint_up_to(UINT32_MAX)); }
  std::int64_t zigzag();
  ByteSpan raw(std::size_t size);
  /// A sized string of at most `limit` bytes.
  ByteSpan sized(std::size_t limit);

  void fail();
  /// No value was missing or out of bounds so far.
  bool ok() const { return ok_; }
  /// All values were there, and nothing is left over.
  bool done() const { return ok_ && left_.empty(); }
  ByteSpan left() const { return left_; }

 private:
  ByteSpan left_;
  bool ok_ = true;
};

}  // namespace lookback::store
