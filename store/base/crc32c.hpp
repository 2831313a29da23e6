#pragma once
#include <cstdint>

#include "store/base/bytes.hpp"

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), as RFC 3720 B.4 shows it. Pure.
/// A checksum of no bytes is 0, and crc32c(a + b) == crc32c(b, crc32c(a)).
namespace lookback {

/// Checksum of `bytes`, going on from the checksum of what stands before them.
std::uint32_t crc32c(ByteSpan bytes, std::uint32_t before = 0);

/// Checksum of what `first` is of, followed by the `second_bytes` bytes that `second` is of.
std::uint32_t crc32c_combine(std::uint32_t first, std::uint32_t second, std::uint64_t second_bytes);

/// The same by table, for processors without the instruction.
std::uint32_t crc32c_by_table(ByteSpan bytes, std::uint32_t before = 0);

}  // namespace lookback
