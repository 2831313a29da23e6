#include "store/wire.hpp"

namespace lookback::store {

Encoder& Encoder::u8(std::uint8_t value) {
  out_.push_back(static_cast<char>(value));
  return *this;
}

Encoder& Encoder::u32(std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out_.push_back(static_cast<char>(value >> shift));
  return *this;
}

Encoder& Encoder::u64(std::uint64_t value) {
  for (int shift = 0; shift < 64; shift += 8) out_.push_back(static_cast<char>(value >> shift));
  return *this;
}

Encoder& Encoder::varint(std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
  out_.push_back(static_cast<char>(value));
  return *this;
}

Encoder& Encoder::zigzag(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return varint((bits << 1) ^ (value < 0 ? ~0ull : 0ull));
}

Encoder& Encoder::raw(std::string_view bytes) {
  out_.append(bytes);
  return *this;
}

Encoder& Encoder::sized(std::string_view bytes) { return varint(bytes.size()).raw(bytes); }

std::uint8_t Decoder::u8() {
  const auto bytes = raw(1);
  return bytes.empty() ? 0 : std::to_integer<std::uint8_t>(bytes[0]);
}

std::uint32_t Decoder::u32() {
  std::uint32_t value = 0;
  int shift = 0;
  for (const auto byte : raw(4)) {
    value |= std::to_integer<std::uint32_t>(byte) << shift;
    shift += 8;
  }
  return value;
}

std::uint64_t Decoder::u64() {
  const std::uint64_t low = u32();
  return low | static_cast<std::uint64_t>(u32()) << 32;
}

std::uint64_t Decoder::varint() {
  std::uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = u8();
    if (!ok_) return 0;
    if (shift == 63 && byte > 1) break;
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (!(byte & 0x80)) return value;
  }
  fail();
  return 0;
}

std::uint64_t Decoder::varint_up_to(std::uint64_t limit) {
  const auto value = varint();
  if (value <= limit) return value;
  fail();
  return 0;
}

std::int64_t Decoder::zigzag() { return from_zigzag(varint()); }

ByteSpan Decoder::raw(std::size_t size) {
  if (!ok_ || size > left_.size()) {
    fail();
    return {};
  }
  const auto bytes = left_.first(size);
  left_ = left_.subspan(size);
  return bytes;
}

ByteSpan Decoder::sized(std::size_t limit) { return raw(static_cast<std::size_t>(varint_up_to(limit))); }

void Decoder::fail() {
  ok_ = false;
  left_ = {};
}

}  // namespace lookback::store
