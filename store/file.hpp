#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "store/base/bytes.hpp"
#include "store/base/result.hpp"

/// Reads and writes of whole ranges of a file. Blocking; `errno` tells why one failed.
namespace lookback::store {

/// Writes all of it where the descriptor stands.
bool write_all(int file, ByteSpan bytes);
/// The bytes of a range, or fewer where the file ends or cannot be read.
std::vector<std::byte> read_range(int file, std::uint64_t offset, std::size_t size);
/// The file's content. Errors: io_error.
Result<std::vector<std::byte>> read_whole(int file);

}  // namespace lookback::store
