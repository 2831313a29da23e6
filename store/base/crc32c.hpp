#pragma once
#include <cstdint>

#include "store/base/bytes.hpp"

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as RFC 3720 B.4 shows it. Pure.
/// A checksum of no bytes is 0, and crc32c(a + b) == crc32c(b, crc32c(a)).
namespace lookback {

/// Checksum of `bytes`, going on from the checksum of what stands before them.
std::uint32_t crc32c(ByteSpan bytes, std::uint32_t before = 0);

/// Continues two checksums over the same bytes in one pass: a part's and its segment's.
struct CrcPair {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
};
CrcPair crc32c(ByteSpan bytes, CrcPair before);

/// The same by table, for processors without the instruction.
std::uint32_t crc32c_by_table(ByteSpan bytes, std::uint32_t before = 0);

}  // namespace lookback
