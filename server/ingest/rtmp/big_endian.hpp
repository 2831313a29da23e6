#pragma once
#include <concepts>
#include <cstdint>
#include <vector>

#include "store/base/bytes.hpp"

/// Numbers of RTMP, AMF0 and FLV: most significant byte first.
namespace lookback::server::rtmp {

/// The `count` (<= 8) bytes at the front of `bytes`, which must have them.
inline std::uint64_t load_be(ByteSpan bytes, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

/// Takes a number off the front of `bytes`, which must hold it.
template <std::unsigned_integral T>
T take_be(ByteSpan& bytes) {
  const auto value = static_cast<T>(load_be(bytes, sizeof(T)));
  bytes = bytes.subspan(sizeof(T));
  return value;
}

/// Appends the lower `count` bytes of `value`.
inline void put_be(std::uint64_t value, std::size_t count, std::vector<std::byte>& out) {
  for (auto shift = count * 8; shift > 0; shift -= 8)
    out.push_back(static_cast<std::byte>(value >> (shift - 8)));
}

template <std::unsigned_integral T>
void put_be(T value, std::vector<std::byte>& out) {
  put_be(value, sizeof(T), out);
}

}  // namespace lookback::server::rtmp
