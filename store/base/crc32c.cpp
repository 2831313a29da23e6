#include "store/base/crc32c.hpp"

#include <array>

#ifdef __SSE4_2__
#include <nmmintrin.h>
#endif

namespace lookback {
namespace {

using Table = std::array<std::array<std::uint32_t, 256>, 8>;

/// Slicing by eight: table[k][b] is the remainder of byte b followed by k zero bytes.
constexpr Table make_table() {
  Table table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0u);
    table[0][byte] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const auto previous = table[k - 1][byte];
      table[k][byte] = (previous >> 8) ^ table[0][previous & 0xFF];
    }
  }
  return table;
}

constexpr Table table = make_table();

std::uint32_t step(std::uint32_t crc, std::byte byte) {
  return (crc >> 8) ^ table[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
}

}  // namespace

std::uint32_t crc32c_by_table(ByteSpan bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  while (bytes.size() >= 8) {
    std::uint32_t next = 0;
    for (std::size_t k = 0; k < 8; ++k) {
      const auto low = k < 4 ? (crc >> (8 * k)) & 0xFF : 0;
      next ^= table[7 - k][(low ^ std::to_integer<std::uint32_t>(bytes[k])) & 0xFF];
    }
    crc = next;
    bytes = bytes.subspan(8);
  }
  for (const auto byte : bytes) crc = step(crc, byte);
  return ~crc;
}

#ifdef __SSE4_2__

CrcPair crc32c(ByteSpan bytes, CrcPair before) {
  // The instruction takes three cycles and starts one per cycle: the second checksum is free.
  std::uint64_t first = static_cast<std::uint32_t>(~before.first);
  std::uint64_t second = static_cast<std::uint32_t>(~before.second);
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; at += 8, left -= 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    first = _mm_crc32_u64(first, word);
    second = _mm_crc32_u64(second, word);
  }
  auto low_first = static_cast<std::uint32_t>(first);
  auto low_second = static_cast<std::uint32_t>(second);
  for (; left > 0; ++at, --left) {
    low_first = _mm_crc32_u8(low_first, std::to_integer<std::uint8_t>(*at));
    low_second = _mm_crc32_u8(low_second, std::to_integer<std::uint8_t>(*at));
  }
  return {~low_first, ~low_second};
}

std::uint32_t crc32c(ByteSpan bytes, std::uint32_t before) { return crc32c(bytes, CrcPair{before, 0}).first; }

#else

CrcPair crc32c(ByteSpan bytes, CrcPair before) {
  return {crc32c_by_table(bytes, before.first), crc32c_by_table(bytes, before.second)};
}

std::uint32_t crc32c(ByteSpan bytes, std::uint32_t before) { return crc32c_by_table(bytes, before); }

#endif

}  // namespace lookback
