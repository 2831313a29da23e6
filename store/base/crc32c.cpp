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
  Table made{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0x82F63B78u : 0u);
    made[0][byte] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const auto previous = made[k - 1][byte];
      made[k][byte] = (previous >> 8) ^ made[0][previous & 0xFF];
    }
  }
  return made;
}

constexpr Table table = make_table();

std::uint32_t step(std::uint32_t crc, std::byte byte) {
  return (crc >> 8) ^ table[0][(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xFF];
}

// Remainders are polynomials with the coefficient of x^0 in the top bit.
constexpr std::uint32_t one = 0x80000000u;

constexpr std::uint32_t times_x(std::uint32_t a) { return (a >> 1) ^ ((a & 1) ? 0x82F63B78u : 0u); }

constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (auto bit = one; bit != 0; bit >>= 1, b = times_x(b)) {
    if (a & bit) product ^= b;
  }
  return product;
}

/// powers[k] is x^(2^k). They repeat after these: x^(2^31) is x.
constexpr auto powers = [] {
  std::array<std::uint32_t, 31> table{};
  std::uint32_t power = times_x(one);
  for (auto& entry : table) {
    entry = power;
    power = multiply(power, power);
  }
  return table;
}();
static_assert(multiply(powers.back(), powers.back()) == powers.front());

#ifdef __SSE4_2__

constexpr std::size_t lane_bytes = 512;

/// lane_table[k][b] is byte k of a remainder, followed by lane_bytes zero bytes.
constexpr auto lane_table = [] {
  const auto shift = powers[12];  // 8 * 512 bits
  std::array<std::array<std::uint32_t, 256>, 4> lanes{};
  for (std::uint32_t k = 0; k < 4; ++k) {
    for (std::uint32_t byte = 0; byte < 256; ++byte) lanes[k][byte] = multiply(byte << (8 * k), shift);
  }
  return lanes;
}();
static_assert(8 * lane_bytes == 1 << 12);

std::uint32_t behind_lane(std::uint32_t crc) {
  return lane_table[0][crc & 0xFF] ^ lane_table[1][crc >> 8 & 0xFF] ^ lane_table[2][crc >> 16 & 0xFF] ^
         lane_table[3][crc >> 24];
}

std::uint64_t word_at(ByteSpan bytes, std::size_t at) {
  std::uint64_t word;
  std::memcpy(&word, bytes.data() + at, 8);
  return word;
}

#endif

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

std::uint32_t crc32c_combine(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes) {
  // `first` times x^(8 * second_bytes), by the binary digits of the exponent.
  for (std::size_t k = 3; second_bytes > 0; ++k, second_bytes >>= 1) {
    if (second_bytes & 1) first = multiply(first, powers[k % powers.size()]);
  }
  return first ^ second;
}

#ifdef __SSE4_2__

std::uint32_t crc32c(ByteSpan bytes, std::uint32_t before) {
  // The instruction takes three cycles and starts one per cycle: three lanes hide that.
  std::uint32_t crc = ~before;
  for (; bytes.size() >= 3 * lane_bytes; bytes = bytes.subspan(3 * lane_bytes)) {
    std::uint64_t first = crc, second = 0, third = 0;
    for (std::size_t at = 0; at < lane_bytes; at += 8) {
      first = _mm_crc32_u64(first, word_at(bytes, at));
      second = _mm_crc32_u64(second, word_at(bytes, lane_bytes + at));
      third = _mm_crc32_u64(third, word_at(bytes, 2 * lane_bytes + at));
    }
    const auto two_lanes =
        behind_lane(static_cast<std::uint32_t>(first)) ^ static_cast<std::uint32_t>(second);
    crc = behind_lane(two_lanes) ^ static_cast<std::uint32_t>(third);
  }
  std::uint64_t rest = crc;
  for (; bytes.size() >= 8; bytes = bytes.subspan(8)) rest = _mm_crc32_u64(rest, word_at(bytes, 0));
  crc = static_cast<std::uint32_t>(rest);
  for (const auto byte : bytes) crc = _mm_crc32_u8(crc, std::to_integer<std::uint8_t>(byte));
  return ~crc;
}

#else

std::uint32_t crc32c(ByteSpan bytes, std::uint32_t before) { return crc32c_by_table(bytes, before); }

#endif

}  // namespace lookback
