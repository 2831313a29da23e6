#pragma once
#include <cstddef>
#include <memory>
#include <utility>

namespace lookback::server::rtmp {

/// Memory for the messages of one connection, cut off larger blocks one after the other: most frames cost no
/// allocation. Small pieces fill up the end of the block before. A block is freed when the last of its pieces
/// is let go. Frames leave the live edge in the order in which they came, so blocks are not kept by a few of
/// them; whatever the peer sends, the blocks hold little more than it has sent since the oldest message that
/// is still alive. Belongs to its connection's thread; what it has given out may be used and freed on any.
class PayloadArena {
 public:
  static constexpr std::size_t block_bytes = 128u << 10;
  /// Larger pieces get memory of their own.
  static constexpr std::size_t largest_piece = block_bytes / 4;

  /// `size` bytes, at least 1, that are not set to anything.
  std::shared_ptr<std::byte[]> take(std::size_t size) {
    if (size > largest_piece) return std::make_shared_for_overwrite<std::byte[]>(size);
    if (before_.left >= size) return before_.cut(size);
    if (newest_.left < size) {
      before_ = std::move(newest_);
      newest_ = {std::make_shared_for_overwrite<std::byte[]>(block_bytes), block_bytes};
    }
    return newest_.cut(size);
  }

 private:
  struct Block {
    std::shared_ptr<std::byte[]> bytes;
    std::size_t left = 0;  ///< at its end

    std::shared_ptr<std::byte[]> cut(std::size_t size) {
      auto* const at = bytes.get() + (block_bytes - left);
      left -= size;
      return {bytes, at};
    }
  };

  Block before_, newest_;
};

}  // namespace lookback::server::rtmp
